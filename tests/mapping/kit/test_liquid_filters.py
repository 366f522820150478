"""The filters of LiquidJS."""

from __future__ import annotations

import pytest

from emulator.mapping.engine_errors import MappingError
from emulator.mapping.resolve import compile_mapping

EVENT = {
    "s": "a,b;c",
    "padded": "\ufeff x \u00a0",
    "words": "one  two\nthree",
    "html": "<p class='x'>A &amp; B</p><script>x</script><!-- c --><open",
    "arr": [1, None, "x"],
    "people": [{"p": 1}, {"p": 2, "q": "z"}, {"q": False}],
    "emoji": "a😀b",
    "big": 12345678901234567000,
    "date": "2024-01-05T17:08:09.456Z",
}


def rendered(expression: str) -> object:
    payload = compile_mapping({"k": {"@liquid": "{{ " + expression + " }}"}})(EVENT)
    assert isinstance(payload, dict)
    return payload["k"]


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("'straße' | upcase", "STRASSE"),
        ("'ABC' | downcase | capitalize", "Abc"),
        ("'hELLO wORLD' | capitalize", "Hello world"),
        ("padded | strip", "x"),
        ("padded | lstrip | size", "3"),
        ("'xxaxx' | strip: 'x'", "a"),
        ("'xxaxx' | rstrip: 'x'", "xxa"),
        ("s | append: '!' | prepend: '<'", "<a,b;c!"),
        ("5 | append: missing", "5"),
        ("s | truncate: 4", "a..."),
        ("s | truncate: 4, ''", "a,b;"),
        ("s | truncate: 5", "a,b;c"),
        ("123 | truncate: 2", "..."),
        ("s | truncate: missing", "a,b;c"),
        ("s | truncate: 3.2, ''", "a,b;"),
        ("s | truncate: 'x'", "..."),
        ("missing | truncate: 6 | json", ""),
        ("nil | truncate: 6 | json", "{}"),
        ("words | truncatewords: missing, '-'", "one two three"),
        ("words | truncatewords: 'x'", ""),
        ("words | truncatewords: 0", "one..."),
        ("words | truncatewords: 2", "one two..."),
        ("words | truncatewords: 3, '-'", "one two three-"),
        ("words | squish", "one two three"),
        ("words | number_of_words", "3"),
        ("'日本 x' | number_of_words: 'cjk'", "3"),
        ("'日本 x' | number_of_words: 'auto'", "3"),
        ("words | strip_newlines", "one  twothree"),
        ("s | remove: ','", "ab;c"),
        ("'aXbXc' | remove_first: 'X' ", "abXc"),
        ("'aXbXc' | remove_last: 'X'", "aXbc"),
        ("s | replace: '', '-'", "a-,-b-;-c"),
        ("'aXb' | replace_first: 'X', '$&'", "a$&b"),
        ("'aXbX' | replace_last: 'X', '!'", "aXb!"),
        ("s | split: ',' | last", "b;c"),
        ("'a,b,,' | split: ',' | size", "2"),
        ("emoji | split: '' | size", "4"),
        ("emoji | slice: 1, 2", "😀b"),
        ("s | slice: -2, 2", ";c"),
        ("s | slice: 2", "b"),
        ("s | slice: -9", ""),
        ("s | slice: 0.5, 1.5", ",b"),
        ("s | slice: missing", "a"),
        ("'<a href=\"x\">' | escape", "&lt;a href=&#34;x&#34;&gt;"),
        ("'&lt; <' | escape_once", "&lt; &lt;"),
        ("html | strip_html", "A &amp; B<open"),
        ("s | size", "5"),
        ("5 | size", "0"),
        ("people[0] | size", "0"),
    ],
)
def test_text_filters(expression: str, text: str) -> None:
    assert rendered(expression) == text


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("5 | plus: '2'", "7"),
        ("'x' | plus: 1", "1"),
        ("5 | plus", "NaN"),
        ("0.1 | plus: 0.2", "0.30000000000000004"),
        ("3 | times: 1.1", "3.3000000000000003"),
        ("5 | divided_by: 2", "2.5"),
        ("10 | divided_by: 3", "3.3333333333333335"),
        ("10 | divided_by: 3, true", "3"),
        ("5 | divided_by: 0", "Infinity"),
        ("0 | divided_by: 0", "NaN"),
        ("-7 | modulo: 3", "2"),
        ("7 | modulo: 0", "NaN"),
        ("1.005 | round: 2", "1.01"),
        ("2.5 | round", "3"),
        ("-2.5 | round", "-3"),
        ("1234 | round: -2", "1200"),
        ("-1.5 | ceil", "-1"),
        ("-1.5 | floor", "-2"),
        ("-1.5 | abs", "1.5"),
        ("2 | at_least: 3", "3"),
        ("false | at_most: 3", "0"),
        ("big", "12345678901234567000"),
        ("'1e21' | plus: 0", "1e+21"),
        ("'5x' | to_integer", "NaN"),
    ],
)
def test_number_filters(expression: str, text: str) -> None:
    assert rendered(expression) == text


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("arr | join", "1  x"),
        ("arr | join: ','", "1,,x"),
        ("arr | first", "1"),
        ("arr | last", "x"),
        ("s | last", "c"),
        ("5 | first", ""),
        ("arr | compact | json", '[1,"x"]'),
        ("arr | push: 2 | json", '[1,null,"x",2]'),
        ("arr | unshift: 2 | json", '[2,1,null,"x"]'),
        ("arr | pop | json", "[1,null]"),
        ("arr | shift | json", '[null,"x"]'),
        ("arr | slice: 1, 5 | json", '[null,"x"]'),
        ("arr | slice: 0.5, 1.5 | json", "[1,null]"),
        ("arr | slice: missing | json", "[]"),
        ("arr | sum", "1"),
        ("people | sum: 'p'", "3"),
        ("people | where: 'p', 2 | json", '[{"p":2,"q":"z"}]'),
        ("people | where: 'q' | size", "1"),
        ("missing | default: 'd'", "d"),
        ("'' | default: 'd'", "d"),
        ("0 | default: 'd'", "0"),
        ("false | default: 'd'", "d"),
        ("false | default: 'd', allow_false: true", "false"),
        ("people[0] | json", '{"p":1}'),
        ("missing | json", ""),
        ("nil | json", "{}"),
        ("empty | json", "{}"),
        ("people[1] | json: 2", '{\n  "p": 2,\n  "q": "z"\n}'),
        ("people | slice: 0 | json: '-'", '[\n-{\n--"p": 1\n-}\n]'),
        ("arr | slice: 0 | json: 20", "[\n          1\n]"),
        ("arr | slice: 0, 0 | json: 2", "[]"),
        ("s | json: 2", '"a,b;c"'),
        ("s | raw | jsonify", '"a,b;c"'),
        ("arr | sample", "1"),
        ("arr | sample: 2 | json", "[1,null]"),
    ],
)
def test_array_and_value_filters(expression: str, text: str) -> None:
    assert rendered(expression) == text


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("'a b&é(*)' | url_encode", "a+b%26%C3%A9(*)"),
        ("'a b(*)' | cgi_escape", "a+b%28%2A%29"),
        ("'a b[1]?x=é' | uri_escape", "a%20b[1]?x=%C3%A9"),
        ("'a+b%26%C3%A9' | url_decode", "a b&é"),
        ("'Über den Wolken!' | slugify", "über-den-wolken"),
        ("'Über x' | slugify: 'ascii'", "ber-x"),
        ("'Café Œuvre' | slugify: 'latin'", "cafe-oeuvre"),
        ("'a_b c' | slugify: 'pretty'", "a_b-c"),
        ("'A b' | slugify: 'raw', true", "A-b"),
        ("'A b' | slugify: 'none'", "a b"),
        ("'é' | base64_encode", "w6k="),
        ("'w6k=' | base64_decode", "é"),
        ("'w6k' | base64_decode", "é"),
        ("'a' | sha256", "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"),
        ("'a' | hmac_sha256: 'k'", "78da91511e675587f5b9df78bedebaf5560da2abb88162ee875dcdf744951d9e"),
    ],
)
def test_encoding_filters(expression: str, text: str) -> None:
    assert rendered(expression) == text


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("s | append", "append expect 2 arguments"),
        ("'%zz' | url_decode", "URI malformed"),
        ("'%ff' | url_decode", "URI malformed"),
        ("'a' | base64_decode", "invalid base64 provided to base64_decode"),
        ("date | date: '%H', 'No/Where'", "Invalid time zone specified: No/Where"),
        ("s | slice: 0, 'Infinity'", "memory alloc limit exceeded"),
    ],
)
def test_a_filter_that_throws_is_a_render_error(expression: str, message: str) -> None:
    with pytest.raises(MappingError) as caught:
        rendered(expression)
    assert (caught.value.name, caught.value.message) == ("RenderError", f"{message}, line:1, col:1")


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("date | date: '%Y-%m-%d %H:%M:%S.%L'", "2024-01-05 17:08:09.456"),
        ("date | date", "Friday, January 5, 2024 at 5:08 pm +0000"),
        ("date | date: '%a %b %e %I %l %p %P %j'", "Fri Jan  5 05  5 PM pm 005"),
        ("date | date: '%U %W %u %w %y %C %q %s'", "00 01 5 5 24 20 th 1704474489"),
        ("date | date: '%-d %_d %05d %^a %#b %N %3N %Q %% %:z %Z'", "5  5 00005 FRI JAN 456000000 456 %Q % +00:00 UTC"),
        ("date | date: '%c|%x|%X'", "1/5/2024, 5:08:09 PM|1/5/2024|5:08:09 PM"),
        ("date | date: '%H:%M %Z %z', 'America/New_York'", "12:08 America/New_York -0500"),
        ("date | date: '%H:%M %z', 330", "11:38 -0530"),
        ("'2024-01-15' | date: '%s'", "1705276800"),
        ("'2024-01-15 10:20' | date: '%H:%M'", "10:20"),
        ("'2023-06-05T23:59:59+05:30' | date: '%H:%M'", "18:29"),
        ("'2024-02-30' | date: '%Y-%m-%d'", "2024-03-01"),
        ("'January 5, 2024' | date: '%Y-%m-%d'", "2024-01-05"),
        ("'gold 1' | date: '%Y-%m-%d'", "2001-01-01"),
        ("'1-2-2024 10:00 PM EST' | date: '%Y-%m-%d %H:%M'", "2024-01-03 03:00"),
        ("arr | slice: 0 | date: '%Y'", "2001"),
        ("true | date: '%L'", "001"),
        ("nil | date: '%Y' | json", "{}"),
        ("0 | date: '%Y'", "1970"),
        ("'1700000000' | date: '%Y-%m-%d'", "2023-11-14"),
        ("'not a date' | date: '%Y'", "not a date"),
        ("missing | date: '%Y'", ""),
        ("date | date_to_xmlschema", "2024-01-05T17:08:09+00:00"),
        ("date | date_to_rfc822", "Fri, 05 Jan 2024 17:08:09 +0000"),
        ("date | date_to_string", "05 Jan 2024"),
        ("date | date_to_long_string: 'ordinal'", "5th January 2024"),
        ("date | date_to_string: 'ordinal', 'US'", "Jan 5th, 2024"),
    ],
)
def test_date_filters(expression: str, text: str) -> None:
    assert rendered(expression) == text
