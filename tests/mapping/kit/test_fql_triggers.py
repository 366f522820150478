"""Triggers: FQL as Segment's engine evaluates it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.mapping.engine_errors import MappingError
from emulator.mapping.fql import Condition, Group, compile_trigger
from emulator.mapping.javascript.values import UNDEFINED

UNREADABLE = "Cannot read properties of undefined (reading 'type')"

VALUES = ["(missing)", None, "", "x", "5", "true", "null", 5, 0, True, False, ["x"], {}]
TRUTH = [
    # condition on a property, and T for each of the values above that it lets through
    ('properties.x = "x"', "...T........."),
    ('properties.x != "x"', "TTT.TTTTTTTTT"),
    ('properties.x = "5"', "....T........"),
    ("properties.x = 5", ".......T....."),
    ("properties.x != 5", "........T...."),
    ("properties.x = true", ".........T..."),
    ("properties.x = false", "..........T.."),
    ("properties.x != true", "TTTTT.TTTTTTT"),
    ("properties.x = null", "TT..........."),
    ("properties.x != null", "..TTTTTTTTTTT"),
    ("properties.x < 6", ".......TT...."),
    ('properties.x > "4"', ".......T....."),
    ("properties.x > null", "............."),
    ('contains(properties.x, "x")', "...T........."),
    ('!contains(properties.x, "x")', "..T.TTT......"),
    ('match(properties.x, "x*")', "...T........."),
    ('!match(properties.x, "x*")', "..T.TTT......"),
    ('match(properties.x, "*")', "..TTTTT......"),
    ('match(properties.x, "x")', "..TTTTT......"),
]
TOP_LEVEL_TRUTH = [
    ("name = 5", "....T........"),
    ("name != 5", "TTTT.TTTTTTTT"),
    ("name = true", ".....T......."),
    ("name = null", "TT..........."),
    ("userId = true", ".........T..."),
    ("userId != null", "..TTTTTTTTTTT"),
    ("event = null", "......T......"),
    ("type != null", "TTTTTT.TTTTTT"),
]


def passed(condition: str, value: object, *, within: str | None) -> bool:
    field = condition.split(" ")[0]
    event = {} if value == "(missing)" else {"x" if within else field: value}
    return compile_trigger(condition).matches({within: event} if within else event)


@pytest.mark.parametrize("field", ["properties", "traits", "context"])
@pytest.mark.parametrize(("condition", "row"), TRUTH)
def test_a_condition_on_a_nested_field_matches_these_values(field: str, condition: str, row: str) -> None:
    found = [passed(condition.replace("properties", field), value, within=field) for value in VALUES]
    assert "".join("T" if each else "." for each in found) == row


@pytest.mark.parametrize(("condition", "row"), TOP_LEVEL_TRUTH)
def test_a_condition_on_a_top_level_field_matches_these_values(condition: str, row: str) -> None:
    found = [passed(condition, value, within=None) for value in VALUES]
    assert "".join("T" if each else "." for each in found) == row


@pytest.mark.parametrize(
    "text",
    [
        "properties.a>1",
        "properties.a<=1",
        "properties.a[0] = 1",
        'type !="x"',
        "properties.a = 1.",
        "properties.a = 1.2.3",
        'type = "open',
        'type\r= "a"',
        "properties.é = 1",
        "type = #",
        '! contains(event, "x")',
        "anonymousId = 5",
        'TYPE = "x"',
        'contains(type, "x")',
        '((type = "a"))',
        '(type = "a" and (event = "b" or name = "c"))',
        '(type = "a"',
        "type = \\",
    ],
)
def test_fql_without_a_condition_has_one_error(text: str) -> None:
    trigger = compile_trigger(text)
    assert trigger.error == UNREADABLE
    assert trigger.tree is None
    assert trigger.explain({}) is None
    assert not trigger.matches({"type": "a"})


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("type", "Value token is missing"),
        ("(type)", "Value token is missing"),
        ("length(x) > 1", UNREADABLE),
        ("contains", "contains() is missing a 1st argument"),
        ("contains()", "contains() is missing a 2nd argument"),
        ("match()", "match() is missing a 2nd argument"),
        ("", "Failed to validate subscription"),
        (None, "Failed to validate subscription"),
        (5, "Failed to validate subscription"),
    ],
)
def test_other_errors(text: object, error: str) -> None:
    assert compile_trigger(text).error == error


def only(text: str) -> Condition:
    """The single condition of FQL."""
    tree = compile_trigger(text).tree
    assert tree is not None
    (condition,) = tree.children
    assert isinstance(condition, Condition)
    return condition


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("properties . a = 1", Condition(field="properties", name="a", operator="number_equals", value=1)),
        ("properties.a=-1.5", Condition(field="properties", name="a", operator="number_equals", value=-1.5)),
        ("traits.a.b = null", Condition(field="traits", name="a.b", operator="not_exists")),
        ("properties = 1", Condition(field="properties", name="properties", operator="number_equals", value=1)),
        ("type = 'track'", Condition(field="type", operator="=", value="'track'")),
        ("type = identify", Condition(field="type", operator="=", value="identify")),
        ("type =", Condition(field="type", operator="=", value="eos")),
        ('type == "track"', Condition(field="type", operator="=", value="=")),
        ('type = "a\\"b"', Condition(field="type", operator="=", value="a\\")),
        ('type = "a"or type = "b"', Condition(field="type", operator="=", value="a")),
        ("properties.a >=5", Condition(field="properties", name="a", operator=">", value="=")),
        ("properties.and = 1", Condition(field="properties", name="properties", operator=".", value="and")),
        ("properties.0 = 1", Condition(field="properties", name="properties", operator=".", value=0)),
        ("properties.a = 1e3", Condition(field="properties", name="a", operator="number_equals", value=1)),
        ("traits.a = properties.b", Condition(field="traits", name="a", operator="=", value="properties.b")),
        ("event contains 5", Condition(field="event", operator="contains", value="5")),
        ("type.x = 5", Condition(field="type", operator="=", value="5")),
        ("properties.a\\!b = 5", Condition(field="properties", name="a!b", operator="number_equals", value=5)),
        ("contains(event)", Condition(field="event", operator="contains", value="eos")),
        ('match(traits.a, "*x*")', Condition(field="traits", name="a", operator="starts_with", value="*x")),
        ('!match(name, "*x")', Condition(field="name", operator="not_ends_with", value="x")),
        ("name != 5", Condition(field="name", operator="!=", value="5")),
        ("userId = false", Condition(field="userId", operator="is_false")),
        ('type = "track" and foo = "bar"', Condition(field="type", operator="=", value="track")),
        ('(type = "track")', Condition(field="type", operator="=", value="track")),
        ("type = traits.an", Condition(field="type", operator="=", value="traits.a")),
    ],
)
def test_fql_is_parsed_to_this_condition(text: str, condition: Condition) -> None:
    assert only(text) == condition


def test_an_unknown_operator_never_matches() -> None:
    assert not compile_trigger('properties.a in "x"').matches({"properties": {"a": "x"}})


@pytest.mark.parametrize(
    ("text", "operator", "count"),
    [
        ('type = "a" or event = "b" and name = "c"', "and", 3),
        ('type = "a" and event = "b" or name = "c"', "or", 3),
        ('type = "a" event = "b"', "and", 2),
        ('and type = "a" or or event = "b"', "or", 2),
        ('type = "a" or(event = "b")', "and", 2),
        ('type = "a" OR event = "b"', "and", 2),
        ('(type = "a" or event = "b") and name = "c"', "and", 2),
        ('type = "a" ) or event = "b"', "or", 2),
    ],
)
def test_a_level_is_one_group_with_the_last_operator_seen(text: str, operator: str, count: int) -> None:
    tree = compile_trigger(text).tree
    assert tree is not None
    assert (tree.operator, len(tree.children)) == (operator, count)


@pytest.mark.parametrize(
    ("text", "mixes"),
    [
        ('type = "a" or event = "b" and name = "c"', True),
        ('type = "a" and event = "b" or name = "c"', True),
        ('name = "x" and (type = "a" and event = "b" or userId = "c")', True),
        ('type = "a" or and event = "b"', True),
        ('(type = "a" or event = "b") and name = "c"', False),
        ('type = "a" and event = "b" and name = "c"', False),
        ('type = "a" or or event = "b"', False),
        ('type = "a" OR event = "b" and name = "and or"', False),
        ('and or type = "a"', False),
        ("", False),
    ],
)
def test_mixed_operators_of_a_level_are_detected(text: str, mixes: bool) -> None:
    assert compile_trigger(text).mixes_operators is mixes


def test_parentheses_make_a_group() -> None:
    tree = compile_trigger('type = "a" and (event = "b" or name = "c")').tree
    assert tree is not None
    assert isinstance(tree.children[1], Group)
    assert tree.children[1].operator == "or"


def test_the_trigger_of_a_draft_of_the_page_never_matches_an_identify() -> None:
    text = '(type = "track" or type = "identify") and (event = "Audience Entered" or event = "Audience Exited")'
    trigger = compile_trigger(text)
    assert trigger.matches({"type": "track", "event": "Audience Entered"})
    assert not trigger.matches({"type": "identify", "traits": {"vip": True}})


def test_parentheses_without_a_condition_fail_when_evaluated() -> None:
    trigger = compile_trigger('type = "track" and (anonymousId = "x")')
    assert trigger.error is None
    assert not trigger.matches({"type": "page"})
    with pytest.raises(MappingError, match="reading 'type'") as caught:
        trigger.matches({"type": "track"})
    assert caught.value.name == "TypeError"


def test_a_null_event_fails_and_an_undefined_one_does_not_match() -> None:
    trigger = compile_trigger('event = "x"')
    with pytest.raises(MappingError, match="Cannot read properties of null \\(reading 'event'\\)"):
        trigger.matches(None)
    assert not trigger.matches(UNDEFINED)


def test_paths_reach_into_arrays_and_strings_and_stop_at_falsy_values() -> None:
    event = {"properties": {"l": [{"p": 5}], "s": "abc", "z": 0, "n": None}}
    assert compile_trigger("properties.l\\[0\\].p = 5").matches(event)
    assert compile_trigger("properties.s.length = 3").matches(event)
    assert compile_trigger("properties.z.deeper != null").matches(event)
    assert compile_trigger("properties.n.deeper = null").matches(event)
    assert compile_trigger("traits.a = null").matches(event)


def test_a_name_of_dots_alone_fails() -> None:
    with pytest.raises(MappingError, match="reading 'reduce'"):
        compile_trigger("properties.\\. = 5").matches({})


def test_an_explanation_has_the_value_of_each_condition() -> None:
    trigger = compile_trigger('type = "track" and (event = "x" or properties.n > 4)')
    result = trigger.explain({"type": "track", "properties": {"n": 5}})
    assert result is not None
    assert result.passed
    first, group = result.children
    assert (first.found, first.passed) == ("track", True)
    assert [(child.found, child.passed) for child in group.children] == [(UNDEFINED, False), (5, True)]


def test_an_explanation_has_the_error_of_a_condition() -> None:
    result = compile_trigger('type = "track" and (foo = 1)').explain({"type": "track"})
    assert result is not None
    assert result.error == UNREADABLE
    assert [child.error for child in result.children] == [None, UNREADABLE]


@given(st.text(alphabet="type=and or()\"'!<>.,[]\\ properties5-_é", max_size=60))
def test_the_compiler_never_raises(text: str) -> None:
    trigger = compile_trigger(text)
    assert (trigger.error is None) == (trigger.tree is not None)


@given(st.text(alphabet=st.characters(blacklist_characters='"', blacklist_categories=["Cs"]), max_size=20))
def test_a_quoted_string_equals_itself(value: str) -> None:
    assert compile_trigger(f'event = "{value}"').matches({"event": value})
