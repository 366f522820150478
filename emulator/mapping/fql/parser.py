"""The condition tree of FQL, as Segment's engine parses it.

Known field names take the next two tokens as operator and value, unknown words are skipped, and all conditions of one
parenthesis level form one group with the last operator seen.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from emulator.mapping.fql.lexer import END, LexError, Token, lex
from emulator.mapping.javascript.prototypes import OBJECT_MEMBERS
from emulator.mapping.javascript.values import UNDEFINED, joined_units, to_number, to_string, utf16_units


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One comparison.

    `field` is `type`, `event`, `name`, `userId`, `properties`, `traits` or `context`; `name` is the path within the
    last three, None for the others. `value` is a string, number or boolean, UNDEFINED for operators without one
    (`exists`, `not_exists`, `is_true`, `is_false`).
    """

    field: str
    operator: str
    name: str | None = None
    value: object = UNDEFINED


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Conditions joined by one operator, `and` or `or`.

    A child None is a pair of parentheses without a condition: evaluating it fails. `operators` are all operators of
    this level; the last of them is `operator`.
    """

    operator: str
    children: tuple[Node, ...]
    operators: frozenset[str] = frozenset()


def mixes_operators(node: Node) -> bool:
    """Whether any level of the tree has both `and` and `or`."""
    return isinstance(node, Group) and (len(node.operators) > 1 or any(map(mixes_operators, node.children)))


Node: TypeAlias = Condition | Group | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionResult:
    """The result of a node for an event.

    `found` is the value that a condition tested (UNDEFINED if missing, and for groups). `error` is set if evaluation
    fails. Groups list all their children, including those that evaluation would skip.
    """

    node: Node
    passed: bool
    found: object = UNDEFINED
    error: str | None = None
    children: tuple[ConditionResult, ...] = ()


TOP_LEVEL_FIELDS = frozenset(("type", "event", "name", "userId"))
NESTED_FIELDS = ("properties", "traits", "context")
_FUNCTION_FIELDS = TOP_LEVEL_FIELDS - {"type"}
_FUNCTIONS = ("contains", "match")
_NO_TOKEN = "Cannot read properties of undefined (reading 'type')"  # noqa: S105 - a message, no password
_REFINED = {
    ("=", "null"): "not_exists",
    ("!=", "null"): "exists",
    ("=", "true"): "is_true",
    ("=", "false"): "is_false",
}
_NUMERIC = {"=": "number_equals", "!=": "number_not_equals"}
# The operators above that a field supports; any other comparison is one of strings.
_EXISTENCE = frozenset(("exists", "not_exists"))
_ALL_REFINED = frozenset(_REFINED.values())
_REFINEMENTS = {"name": _EXISTENCE, "userId": _ALL_REFINED, **dict.fromkeys(NESTED_FIELDS, _ALL_REFINED)}


class ParseError(Exception):
    """FQL without a condition tree. The message is the engine's."""


def parse(text: str) -> Group:
    """The condition tree of FQL, always a group at the root. Raises ParseError."""
    try:
        tokens = lex(text)
    except LexError:
        # The engine ignores the error of the lexer and continues without tokens.
        tokens = []
    node = _level(deque(_with_paths(tokens)))
    if node is None:
        raise ParseError(_NO_TOKEN)
    return node if isinstance(node, Group) else Group(operator="and", children=(node,))


def _with_paths(tokens: Iterable[Token]) -> list[Token]:
    """Joins words with dots between them to one word."""
    joined: list[Token] = []
    for token in tokens:
        if token.kind == "ident" and len(joined) > 1 and [t.kind for t in joined[-2:]] == ["ident", "dot"]:
            joined[-2:] = [Token("ident", f"{joined[-2].value}.{token.value}")]
        else:
            joined.append(token)
    return joined


def _level(tokens: deque[Token]) -> Node:
    nodes: list[Node] = []
    operators: list[str] = []
    while tokens and (token := tokens.popleft()) is not END:
        if token.kind == "conditional":
            operators.append(token.value)
        else:
            nodes += _nodes_of(token, tokens)
    if len(nodes) > 1:
        last = operators[-1] if operators else "and"
        return Group(operator=last, children=tuple(nodes), operators=frozenset(operators))
    return nodes[0] if nodes else None


def _nodes_of(token: Token, tokens: deque[Token]) -> list[Node]:
    """The node that a token starts, if any; consumes the tokens that belong to it."""
    if token.kind == "parenleft":
        return [_level(_in_parentheses(tokens))]
    if token.kind == "ident":
        if token.value in _FUNCTIONS:
            return _function(token.value, tokens, negated=False)
        return _comparison(token.value, tokens)
    if token == Token("operator", "!"):
        if not tokens:
            raise ParseError(_NO_TOKEN)
        if tokens[0].kind == "ident" and tokens[0].value in _FUNCTIONS:
            return _function(tokens.popleft().value, tokens, negated=True)
    return []


def _in_parentheses(tokens: deque[Token]) -> deque[Token]:
    """Everything up to the first closing parenthesis: parentheses do not nest."""
    inner: deque[Token] = deque()
    while tokens:
        token = tokens.popleft()
        if token.kind == "parenright":
            inner.append(END)
            return inner
        inner.append(token)
    raise ParseError(_NO_TOKEN)


def _comparison(path: str, tokens: deque[Token]) -> list[Node]:
    field = path.split(".")[0]
    if field not in TOP_LEVEL_FIELDS and field not in NESTED_FIELDS and field not in OBJECT_MEMBERS:
        return []
    operator = _taken(tokens, "Operator token is missing").value
    value = _taken(tokens, "Value token is missing")
    if field in OBJECT_MEMBERS:
        # An inherited name counts as a known field, but matches none of them.
        return []
    return [_refined(field, _name_in(field, path), operator, value)]


def _refined(field: str, name: str | None, operator: str, token: Token) -> Condition:
    refined = _REFINED.get((operator, token.value))
    if refined in _REFINEMENTS.get(field, ()):
        return Condition(field=field, name=name, operator=str(refined))
    value = _value(token)
    if field not in NESTED_FIELDS:
        return Condition(field=field, operator=operator, value=to_string(value))
    if token.kind == "number":
        operator = _NUMERIC.get(operator, operator)
    return Condition(field=field, name=name, operator=operator, value=value)


def _name_in(field: str, path: str) -> str | None:
    return path.removeprefix(f"{field}.") if field in NESTED_FIELDS else None


def _function(function: str, tokens: deque[Token], *, negated: bool) -> list[Node]:
    """`contains(name, value)` or `match(name, value)`; parentheses and comma are skipped unchecked."""
    _skip(tokens)
    path = _taken(tokens, f"{function}() is missing a 1st argument").value
    _skip(tokens)
    argument = _taken(tokens, f"{function}() is missing a 2nd argument")
    _skip(tokens)
    field = next((known for known in NESTED_FIELDS if path.startswith(known)), path)
    if field not in NESTED_FIELDS and field not in _FUNCTION_FIELDS:
        return []
    operator, value = ("contains", to_string(_value(argument))) if function == "contains" else _match(argument)
    operator = f"not_{operator}" if negated else operator
    return [Condition(field=field, name=_name_in(field, path), operator=operator, value=value)]


def _match(argument: Token) -> tuple[str, str]:
    """With a star at the end of a double-quoted string a prefix; otherwise a suffix, without its first character."""
    text = to_string(_value(argument))
    if argument.value.endswith('*"'):
        return "starts_with", text[:-1]
    return "ends_with", joined_units("".join(utf16_units(text)[1:]))


def _value(token: Token) -> object:
    if token.kind == "string":
        # Only double quotes are removed; single quotes stay.
        return token.value.removeprefix('"').removesuffix('"')
    if token.kind == "number":
        return to_number(token.value)
    if token.kind == "ident" and token.value in ("true", "false"):
        return token.value == "true"
    return token.value


def _taken(tokens: deque[Token], problem: str) -> Token:
    if not tokens:
        raise ParseError(problem)
    return tokens.popleft()


def _skip(tokens: deque[Token]) -> None:
    if tokens:
        tokens.popleft()
