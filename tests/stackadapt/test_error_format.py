"""GraphQL errors have the wording of graphql-js 16 (checked against graphql 16 from npm)."""

from __future__ import annotations

import pytest
from graphql import GraphQLError, parse

from emulator.stackadapt.graphql.error_format import in_graphql_js_words
from emulator.stackadapt.graphql.javascript_text import inspected, number_text


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (r'{ a(x: "a\\"b\\"") }', 'Syntax Error: Unexpected character: "\\".'),
        ("{ a ? }", 'Syntax Error: Unexpected character: "?".'),
        ("{ a(x: ) }", 'Syntax Error: Unexpected ")".'),
        ('{ a(x: "open) }', "Syntax Error: Unterminated string."),
    ],
)
def test_a_syntax_error_has_the_wording_of_graphql_js(document: str, message: str) -> None:
    with pytest.raises(GraphQLError) as caught:
        parse(document)
    assert in_graphql_js_words(caught.value) == message


@pytest.mark.parametrize(
    ("number", "text"),
    [
        *((0, "0"), (-0.0, "0"), (1.0, "1"), (-1.5, "-1.5"), (100, "100"), (1e20, "100000000000000000000")),
        *((1e21, "1e+21"), (-1.25e22, "-1.25e+22"), (2**53 + 1, "9007199254740992"), (10**25, "1e+25")),
        *((1e-6, "0.000001"), (1e-7, "1e-7"), (1.5e-9, "1.5e-9"), (0.1, "0.1"), (123.456, "123.456")),
        *((1e400, "Infinity"), (-(10**400), "-Infinity")),
    ],
)
def test_a_number_is_printed_as_javascript_prints_it(number: float, text: str) -> None:
    assert number_text(number) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        ([True, "it's", {}], '[true, "it\'s", {}]'),
        ({"b": 1, "10": [], "9": None}, "{ 9: null, 10: [], b: 1 }"),
        ({"a": {"b": {"c": 1}}}, "{ a: { b: [Object] } }"),
        ([[[1]]], "[[[Array]]]"),
        (list(range(11)), "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, ... 1 more item]"),
        (list(range(12)), "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, ... 2 more items]"),
    ],
)
def test_a_value_is_printed_as_graphql_js_prints_it(value: object, text: str) -> None:
    assert inspected(value) == text
