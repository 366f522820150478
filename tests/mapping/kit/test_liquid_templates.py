"""`@liquid`; the expected strings are those of LiquidJS 10.30."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from emulator.mapping.engine_errors import MappingError
from emulator.mapping.resolve import compile_mapping

NOW = datetime(2026, 3, 4, 5, 6, 7, 890_000, tzinfo=UTC)
PARSE_ERRORS = ("ParseError", "TokenizationError")
EVENT = {
    "s": "a,b;c",
    "n": 5,
    "f": False,
    "zero": 0,
    "empty_text": "",
    "nul": None,
    "o": {"x": 1, "y z": 2},
    "arr": [1, 2, 3],
    "words": "one  two\nthree",
    "emoji": "a😀b",
    "crlf": "x\r\ny",
    "html": "<p>A &amp; B</p><script>x</script>",
    "date": "2024-01-05T17:08:09.456Z",
    "people": [{"p": 1}, {"p": 2, "q": "z"}],
    "digits": "7",
    "partial": "own",
    "now": "mine",
}


def rendered(template: str) -> object:
    payload = compile_mapping({"k": {"@liquid": template}}, now=lambda: NOW)(EVENT)
    assert isinstance(payload, dict)
    return payload["k"]


def failure(template: str) -> MappingError:
    with pytest.raises(MappingError) as caught:
        rendered(template)
    return caught.value


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("", ""),
        ("plain", "plain"),
        ("{{ s }}{{missing}}{{ nul }}", "a,b;c"),
        ("{{ n }} {{ zero }} {{ f }}", "5 0 false"),
        ("{{ 2.50 }} {{ 10.0 | divided_by: 4 }}", "2.5 2.5"),
        ("{{ o }} {{ arr }} {{ people }}", "[object Object] 123 [object Object][object Object]"),
        ("{{ o['y z'] }} {{ arr[0] }} {{ arr.0 }} {{ arr[-1] }}", "2 1 1 3"),
        ("{{ arr.size }} {{ s.size }} {{ o.size }} {{ emoji.size }}", "3 5 2 4"),
        ("{{ arr.first }} {{ arr.last }} {{ s.first }}", "1 3 "),
        ("{{ constructor }}{{ s.constructor }}", ""),
        ("{{ (1..3) }}", "123"),
        ("{{ s | nosuchfilter: 1 | upcase }}", "A,B;C"),
        ("{{ partial }} {{ now }}{{ today }}", "own mine"),
        ("[{{ crlf }}]", "[x\r\ny]"),
        ("{{ 'a' -}}  b", "ab"),
        ("{% assign v = s | upcase %}{{ v }}", "A,B;C"),
        ("{% capture v %}{{ n }}!{% endcapture %}{{ v | size }}", "2"),
        ("{% raw %}{{ x }}{% endraw %}{% comment %}{{ y }}{% endcomment %}", "{{ x }}"),
        ("{% # note %}{% echo n | plus: 1 %}", "6"),
        ("{% increment c %}{% increment c %}{% decrement c %}{{ c }}", "0111"),
        ("{% increment n %}{% increment n %}", "56"),
        ("{% cycle 'a', 'b' %}{% cycle 'a', 'b' %}{% cycle 'a', 'b' %}", "aba"),
        ("a{% break %}b", "a"),
        ("{% if true %} {% endif %}|", " |"),
        ("{{ n > 1 }}{{ n > 1 and s == 'x' }}{{ not f }}", "truefalsetrue"),
        ("{% assign v = n == 5 %}{{ v }}", "true"),
        ("{{ 1 == 1 == true }}{{ true == 2 == 3 }}", "falsefalse"),
        ("{{ n s }}{{ n > }}", "5false"),
        ("{{ s | upcase | }}", "A,B;C"),
        ("{% if s | size %}y{% endif %}{% if missing | default: 'x' %}z{% endif %}", "yz"),
        ("{% echo %}x", "x"),
        ("{% unless n %}x{% else %}y{% elsif n %}z{% else %}w{% endunless %}", "y"),
        ("{% unless n %}x{% else nonsense %}y{% endunless %}", "y"),
        ("{{ size }}{{ first }}", "0"),
        ("{% increment nul %}{{ nul }}", "01"),
    ],
)
def test_a_template_renders(template: str, text: str) -> None:
    assert rendered(template) == text


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("zero", True),
        ("empty_text", True),
        ("nul", False),
        ("missing", False),
        ("f", False),
        ("digits > n", True),
        ("digits > '65'", True),
        ("nul < n", True),
        ("missing < n", False),
        ("n > nil", False),
        ("nul == nil", True),
        ("missing == nil", True),
        ("nul == missing", False),
        ("n == '5'", False),
        ("n == 5.0", True),
        ("f == 0", False),
        ("arr == arr", True),
        ("empty_text == empty", True),
        ("nul == blank", True),
        ("nul == empty", False),
        ("f == blank", True),
        ("words contains 'two'", True),
        ("arr contains 2", True),
        ("arr contains '2'", False),
        ("o contains 'x'", False),
        ("n >= 5 and n <= 5", True),
        ("f and f or n", False),
        ("not f and n", True),
        ("not n or n", True),
    ],
)
def test_a_condition_compares_as_liquidjs_does(condition: str, expected: bool) -> None:
    assert rendered(f"{{% if {condition} %}}yes{{% else %}}no{{% endif %}}") == ("yes" if expected else "no")
    assert rendered(f"{{% unless {condition} %}}no{{% else %}}yes{{% endunless %}}") == ("yes" if expected else "no")


@pytest.mark.parametrize("tag", ["case", "for", "include", "layout", "render", "tablerow"])
def test_a_disabled_tag_is_an_error_with_its_position(tag: str) -> None:
    error = failure(f"x\n {{% {tag} n %}}")
    assert (error.name, error.message) == ("ParseError", f'tag "{tag}" is disabled, line:2, col:2')
    assert error.status is None


@pytest.mark.parametrize(
    "name", ["concat: arr", "map: 'p'", "newline_to_br", "reverse", "sort", "uniq", "type", "find: 1"]
)
def test_a_disabled_filter_is_an_error_when_used(name: str) -> None:
    error = failure("{{ arr | " + name + " }}")
    assert error.name == "RenderError"
    assert error.message == f'filter "{name.split(":")[0]}" is disabled, line:1, col:1'
    assert rendered("{% if f %}{{ arr | sort }}{% endif %}") == ""


@pytest.mark.parametrize(
    "template", ["{% nosuch %}", "{{ a ", "{% if a %}", "{{ $.a }}", "{% endif %}", "{% ifchanged %}{% endifchanged %}"]
)
def test_an_invalid_template_fails_on_the_first_event(template: str) -> None:
    resolve = compile_mapping({"k": {"@if": {"exists": {"@path": "$.go"}, "then": {"@liquid": template}}}})
    assert resolve({}) == {}
    with pytest.raises(MappingError) as caught:
        resolve({"go": 1})
    assert caught.value.name in PARSE_ERRORS


def test_a_template_may_have_a_thousand_utf16_units() -> None:
    assert rendered("x" * 1000) == "x" * 1000
    assert failure("😀" * 500 + "x").message == "liquid template values are limited to 1000 characters"


def test_the_output_of_a_template_is_limited() -> None:
    for template in (
        "{% assign s = s | append: s %}" * 30,
        "{% capture s %}{{s}}{{s}}{% endcapture %}" * 24 + "{{s}}{{s}}",
        '{{ 0 | date: "%999999999d" }}',
        "{% assign a = (1..1000000000) %}",
        "{% assign a = (1..10) %}" + "{% assign a = a | push: a %}" * 25 + "{{ a }}",
        "{% assign a = (1..10) %}" + "{% assign a = a | unshift: a %}" * 25 + "{{ a | json }}",
    ):
        assert failure(template).message.startswith("memory alloc limit exceeded")


@pytest.mark.parametrize("event", [None, 5, "text", []])
def test_an_element_that_is_not_an_object_has_no_variables(event: object) -> None:
    assert compile_mapping({"k": {"@liquid": "[{{ a }}]"}})(event) == {"k": "[]"}


def test_now_needs_a_clock() -> None:
    mapping = {"k": {"@liquid": "{{ 'now' | date: '%Y-%m-%d %H:%M:%S.%L' }}"}}
    assert compile_mapping(mapping, now=lambda: NOW)({}) == {"k": "2026-03-04 05:06:07.890"}
    with pytest.raises(MappingError, match="without a clock"):
        compile_mapping(mapping)({})


@pytest.mark.parametrize(
    "template",
    [
        "{{ }}",
        "{{ | upcase }}",
        "{% if %}x{% endif %}",
        "{% if n %}x{% else nonsense %}y{% endif %}",
        "{% if f %}x{% else %}y{% elsif n %}z{% endif %}",
        "{% if f %}x{% else %}y{% else %}z{% endif %}",
        "{{ (n) }}",
    ],
)
def test_a_template_that_liquidjs_rejects_is_rejected(template: str) -> None:
    assert failure(template).name in PARSE_ERRORS


def test_a_counter_in_the_event_is_visible_to_every_field_of_the_mapping() -> None:
    event = {"n": 5, "o": {"m": 1}}
    mapping = {
        "before": {"@path": "$.n"},
        "whole": {"@path": "$."},
        "counted": {"@liquid": "{% increment n %}{% decrement new %}"},
        "after": {"@path": "$.n"},
    }
    assert compile_mapping(mapping)(event) == {
        "before": 5,
        "whole": {"n": 6, "o": {"m": 1}, "new": -1},
        "counted": "5-1",
        "after": 6,
    }
    assert event == {"n": 5, "o": {"m": 1}}


def test_the_variables_of_an_array_or_string_are_its_items_and_length() -> None:
    mapping = {"k": {"@arrayPath": ["$.l", {"v": {"@liquid": "{{ length }}"}}]}}
    assert compile_mapping(mapping)({"l": ["a\U0001f600", [1, 2], 5, None]}) == {
        "k": [{"v": "3"}, {"v": "2"}, {"v": ""}, {"v": ""}]
    }
