"""Where versions 3.2 and 3.3 of graphql-core differ: everything else uses what both have.

Other packages of a user's environment decide which of them is installed: gql 3.5 and 4.0 and graphene 3 need 3.2,
gql 4.4 needs 3.3. The emulator answers alike with both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any, Final

from graphql import (
    GraphQLArgument,
    GraphQLInputField,
    Lexer,
    Undefined,
    ValueNode,
    get_introspection_query,
)
from graphql.language.parser import Parser
from graphql.utilities import ast_from_value, value_from_ast
from graphql.utilities.sort_value_node import sort_value_node

_PARSER: Final = signature(Parser).parameters
_INTROSPECTION: Final = signature(get_introspection_query).parameters
# Where both exist, the former counts comments too.
_TOKENS: Final = "max_lexical_tokens" if "max_lexical_tokens" in _PARSER else "max_tokens"
_ONE_OF: Final = "one_of" if "one_of" in _INTROSPECTION else "input_object_one_of"
# Only graphql-core 3.3 accepts `{ }`, unless it is asked not to.
_STRICT: Final[Mapping[str, Any]] = (
    {"allow_empty_selection_sets": False} if "allow_empty_selection_sets" in _PARSER else {}
)


def parser_of(lexer: Lexer, *, tokens: int, places: bool) -> Parser:
    """A parser that reads from this lexer: at most so many tokens, without the comments."""
    options: dict[str, Any] = {_TOKENS: tokens, **_STRICT}
    parser = Parser(lexer.source, no_location=not places, **options)
    # Not every version has an argument for it.
    parser._lexer = lexer
    return parser


def introspection_query(*, deprecated_inputs: bool, one_of: bool) -> str:
    """The query for a whole schema without descriptions; older servers know neither of the two things."""
    return get_introspection_query(False, input_value_deprecation=deprecated_inputs, **{_ONE_OF: one_of})


def default_of(place: GraphQLArgument | GraphQLInputField) -> Any:
    """The default value of an argument or input field as a resolver gets it; Undefined if it has none."""
    literal = _written_default(place)
    return place.default_value if literal is None else value_from_ast(literal, place.type)


def default_literal(place: GraphQLArgument | GraphQLInputField) -> ValueNode | None:
    """The default value as a literal, the members of objects sorted; None if there is none.

    It is made from the value, as only graphql-core 3.3 keeps the literal of an introspected schema.
    """
    value = default_of(place)
    literal = None if value is Undefined else ast_from_value(value, place.type)
    return None if literal is None else sort_value_node(literal)


def parses(leaf: Any) -> Callable[[Any], Any]:
    """The function that reads a JSON value as a scalar or enum."""
    read: Callable[[Any], Any] = getattr(leaf, "coerce_input_value", None) or leaf.parse_value
    return read


def serializes(leaf: Any) -> Callable[[Any], Any]:
    """The function that writes a value of a scalar or enum as JSON."""
    write: Callable[[Any], Any] = getattr(leaf, "coerce_output_value", None) or leaf.serialize
    return write


def _written_default(place: GraphQLArgument | GraphQLInputField) -> ValueNode | None:
    default: Any = getattr(place, "default", None)
    if default is not None and default.literal is None:
        return ast_from_value(default.value, place.type)
    return None if default is None else default.literal
