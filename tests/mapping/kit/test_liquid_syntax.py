"""What LiquidJS 10.30 makes of escapes, odd names and numbers, broken templates, and years of five digits."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.mapping.engine_errors import MappingError
from emulator.mapping.resolve import compile_mapping

EVENT: dict[str, Any] = {"a": 5, "s": "a\nb", "-traits": {"score": 7}, "5": "five", "if": "word", "n": None}
EPOCH_MILLISECONDS_AS_SECONDS = 1_719_792_000_000


def rendered(template: str, **members: object) -> object:
    payload = compile_mapping({"k": {"@liquid": template}})({**EVENT, **members})
    assert isinstance(payload, dict)
    return payload["k"]


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ s | replace: '\\n', ' ' }}", "a b"),
        ("{{ 'it\\'s' }} {{ '\\u0041\\101\\x' }}", "it's AAx"),
        ("{{ '}}' }}{{ \"'\" }}", "}}'"),
        ("{{ -traits.score }}{{ if }}", "7word"),
        ("{{ 3 | times: .5 }} {{ +5 }} {{ 1. }} {{ 1e3 }} {{ 5 <> 5 }}", "0 5 1  false"),
        ("{{ a, b }}{{ a) }}", "55"),
        ("{% comment %}{% if %}{{ | }}{% nosuch %}{% endcomment %}k", "k"),
        ("{% comment %}{% comment %}{% endcomment %}k", "k"),
        ("{% raw %}{{ a }{% if {% endraw %}", "{{ a }{% if "),
        ("{% capture 'x y' %}1{% endcapture %}{{ ['x y'] }}", "1"),
        ("{% cycle 5 | plus: 1, 'x' %}{% cycle 0, 1 %}|", "6|"),
        ("{% block b %}{{ block.super }}k{% endblock %}", "k"),
        ("{% liquid\nassign x = a\nif x\necho x\nendif %}", "5"),
        ("{{ 5 | plus: b: 1 }}{{ 5 | plus: n }}", "55"),
        ("{{ 'a,b,c' | split: ',' | slice: '1' | join }}", "b c"),
    ],
)
def test_a_template_renders(template: str, text: str) -> None:
    assert rendered(template) == text


@pytest.mark.parametrize(
    ("template", "name", "message"),
    [
        ("{% comment %}{% if {% endcomment %}", "ParseError", "tag {% comment %} not closed, line:1, col:1"),
        ("x\n {{ a", "TokenizationError", 'output "{{ a" not closed, line:2, col:2'),
        ("{{ }}", "TokenizationError", 'invalid value expression: "", line:1, col:4'),
        ("{{ a | plus 1 }}", "TokenizationError", 'expected ":" after filter name, line:1, col:13'),
        ("{% nosuch %}", "ParseError", 'tag "nosuch" not found, line:1, col:1'),
        ("{% if a %}{% else x %}{% endif %}", "ParseError", 'unexpected "x", line:1, col:1'),
        ("{{ s | append }}", "RenderError", "append expect 2 arguments, line:1, col:1"),
        ("{% echo '\\u12%}", "ParseError", "Cannot read properties of undefined (reading 'charCodeAt'), line:1, col:1"),
    ],
)
def test_an_error_has_the_name_and_the_message_of_liquidjs(template: str, name: str, message: str) -> None:
    with pytest.raises(MappingError) as caught:
        rendered(template)
    assert (caught.value.name, caught.value.message) == (name, message)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ t | date: '%Y-%m-%d %a %j %U %s' }}", "56468-01-15 Sun 015 03 1719792000000"),
        ("{{ t | date: '%C %y %c' }}", "564 68 1/15/56468, 12:00:00 AM"),
        ("{{ t | date_to_xmlschema }}", "56468-01-15T00:00:00+00:00"),
        ("{{ t | date: '%H %z', 'America/New_York' }}", "19 -0500"),
        ("{{ -99999999999 | date: '%Y-%m-%d %y %C %c' }}", "-1199-02-15 01 -12 2/15/1200, 2:13:21 PM"),
        ("{{ '-000044-03-15' | date: '%Y %6Y %A' }}", "-044 -00044 Thursday"),
        ("{{ '0000-12-31' | date: '%Y %j' }}", "0000 365"),
        ("{{ 8640000000000 | date: '%Y' }} {{ 8640000000001 | date: '%Y' }}", "275760 8640000000001"),
    ],
)
def test_a_date_may_have_any_year_of_javascript(template: str, text: str) -> None:
    assert rendered(template, t=EPOCH_MILLISECONDS_AS_SECONDS) == text
