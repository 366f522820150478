"""The conditions of destination filters: every example of Segment's page, and what it leaves to the evaluator."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.segment.event_filters.functions import QueryError
from emulator.segment.event_filters.query import Query

CLICK = {
    "event": "Button Clicked",
    "type": "track",
    "context": {"library": {"name": "analytics.js", "version": "1.0"}},
    "properties": {"features": ["discounts", "dark-mode"], "product 1": {"price": "19.99"}, "total": 5, "vip": True},
}

# "Destination Filter Query Language": the examples for the event above.
EXAMPLES = [
    ("event = 'Button Clicked'", True),
    ("event = 'Screen Tapped'", False),
    ("context.path.path = '/login'", False),
    ("type = 'identify' or type = 'track'", True),
    ("event = 'Button Clicked' and type = 'track'", True),
    ("match( context.library.version, '1.*' )", True),
    ("match( context.library.version, '2.*' )", False),
    ("type = 'track' and ( event = 'Click' or match( event, 'Button *' ) )", True),
    ("!contains( context.library.name, 'js' )", False),
    ("'dark-mode' in properties.features", True),
    ("'blink' in properties.features", False),
    ("properties.product\\ 1.price = '19.99'", True),
    (
        "( type = 'track' or type = 'identify' ) and ( properties.enabled or match( traits.email, '*@company.com' ) )",
        False,
    ),
    ("!( type in ['track', 'identify'] )", False),
    ("length( userId ) > 0", False),
    ("typeof( userId ) = 'string' and length( userId ) > 0", False),
    ("contains( userId, 'a' )", False),
    ("length( userId ) = 0", True),
    ("lowercase( userId ) = null", True),
    ("typeof( userId ) = 'null'", True),
    ("match( userId, 'a' )", False),
    ("length( 'a' ) = 1 and length( 'ア' ) = 3 and length( properties.features ) = 2", True),
    ("lowercase( event ) = 'button clicked' and uppercase( type ) = 'TRACK'", True),
    ("snakecase( 'test string' ) = 'test_string' and kebabcase( 'test string' ) = 'test-string'", True),
    ("titlecase( 'test string' ) = 'Test String'", True),
    ("match( 'abcd', 'a*d' )", True),
    ("match( '', '*' )", True),
    ("match( 'abc', 'ab' )", False),
    ("match( 'abcd', 'a??d' )", True),
    ("match( 'abcd', '*d' )", True),
    ("match( 'ab*d', 'ab\\*d' )", True),
    ("match( 'abCd', 'ab[cC]d' )", True),
    ("match( 'abcd', 'ab[a-z]d' )", True),
    ("match( 'abcd', 'ab[A-Z]d' )", False),
]  # fmt: skip
OTHERS = [
    # Nothing is converted, and what is missing is null.
    ("properties.total = '5'", False),
    ("properties.total != '5'", True),
    ("properties.total = 5 and properties.total = 5.0 and properties.total >= 5 and properties.total < 6", True),
    ("properties.total > '4'", False),
    ("properties.vip = 1", False),
    ("properties.vip = true", True),
    ("properties.vip", True),
    ("properties.total", False),
    ("userId = null and properties.deeper.still = null", True),
    ("userId > 0 or userId < 0", False),
    ("properties.features = ['discounts', 'dark-mode']", True),
    ("properties.features = ['dark-mode', 'discounts']", False),
    ("1 in [true, '1']", False),
    ("null in properties.missing", False),
    ("type in ['track']", True),
    ("contains( properties.features, 'dark' )", False),
    ("length( properties ) = 0 or length( properties ) > 0", False),
    ("lowercase( properties.total ) = null", True),
    ("typeof( properties.features ) = 'list' and typeof( properties.vip ) = 'bool'", True),
    ("number( '5' ) = 5 and string( properties.total ) = '5' and bool( properties.total )", True),
    # `and` before `or`; parentheses and negations within each other.
    ("type = 'x' and type = 'track' or type = 'track'", True),
    ("type = 'track' or type = 'track' and type = 'x'", True),
    ("!(!(type = 'track' and (!(event = 'x'))))", True),
]


@pytest.mark.parametrize(("query", "expected"), EXAMPLES)
def test_every_documented_example_has_its_documented_result(query: str, expected: bool) -> None:
    assert Query(query).matches(CLICK) is expected


@pytest.mark.parametrize(("query", "expected"), OTHERS)
def test_comparisons_convert_nothing_and_what_is_missing_is_null(query: str, expected: bool) -> None:
    assert Query(query).matches(CLICK) is expected


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ('userId = oops"', "got"),
        ("", "a value is expected before the end of the query"),
        ("type =", "a value is expected before the end of the query"),
        ("type == 'track'", "a value is expected before '='"),
        ("type = 'track' type = 'identify'", "'type' is not expected here"),
        ("type = 'track' and", "a value is expected before the end of the query"),
        ("(type = 'track'", r"'\)' is expected before the end of the query"),
        ("type in ['track'", "']' is expected before the end of the query"),
        ("type in ['track' 'x']", "',' is expected before"),
        ("contains(event)", r"contains\(\) takes 2 arguments, not 1"),
        ("exists(event)", "'exists' is no function"),
        ("context..page = 'x'", "a name is expected before '.'"),
        ("(" * 100 + "type = 'a'" + ")" * 100, "nested more than"),
    ],
)
def test_what_is_no_fql_says_where(query: str, message: str) -> None:
    with pytest.raises(QueryError, match=message):
        Query(query)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("'x' in type", "'in' needs a list, and found a value of the type string"),
        ("number( event ) = 1", "number.. of the string 'Button Clicked'"),
        ("bool( event )", "bool.. of the string"),
        ("number( properties ) = 1", "number.. of a value of the type object"),
    ],
)
def test_what_cannot_be_evaluated_fails(query: str, message: str) -> None:
    with pytest.raises(QueryError, match=message):
        Query(query).matches(CLICK)


# Recorded from the evaluator that Segment publishes for browsers (@segment/tsub 2.0.1).
GLOBS = [
    ("a*b*c", "a/x/b/y/c", True),
    ("a*b*c", "acb", False),
    ("*ab*ab*", "xabxabx", True),
    ("*ab*ab*", "xabx", False),
    ("a*a", "a", False),
    ("[^a]", "b", True),
    ("[^a]", "a", False),
    ("[a", "a", False),
    ("[]a]", "a", False),
    ("[a-]", "a", False),
    ("[z-a]", "m", False),
    ("[\\]]", "]", True),
    ("\\", "\\", False),
    ("\\\\", "\\", True),
    ("**", "anything", True),
    ("?", "\n", True),
    ("", "", True),
    ("", "a", False),
]


@pytest.mark.parametrize(("pattern", "text", "expected"), GLOBS)
def test_globs_match_as_in_the_published_evaluator(pattern: str, text: str, expected: bool) -> None:
    assert Query("match(a, b)").matches({"a": text, "b": pattern}) is expected


def test_a_pattern_of_many_stars_takes_no_longer_than_one() -> None:
    pattern, text = "*a" * 500, "a" * 499 + "b" * 5_000
    assert Query("match(a, b)").matches({"a": text, "b": pattern}) is False


def test_a_value_of_any_type_is_compared() -> None:
    values: list[Any] = [None, True, 0, 1.5, "", "a", [], [1], {}, {"a": 1}, 2**80, "\ud800"]
    for index, left in enumerate(values):
        for position, right in enumerate(values):
            event = {"l": left, "r": right}
            assert Query("l = r").matches(event) is (index == position)
            assert Query("l != r").matches(event) is (index != position)
            for function in ("length", "lowercase", "uppercase", "titlecase", "typeof", "string"):
                Query(f"{function}(l) = r").matches(event)
            Query("contains(l, r) or match(l, r) or l < r or l >= r").matches(event)
