"""GraphQL errors have the wording of graphql-js 16 (checked against graphql 16 from npm)."""

from __future__ import annotations

import pytest
from graphql import GraphQLError, parse

from emulator.stackadapt.graphql.error_format import in_graphql_js_words


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
