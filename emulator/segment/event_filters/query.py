"""The conditions of destination filters: FQL with the grammar of "Destination Filter Query Language".

It is not the FQL of triggers (`emulator/mapping/fql/`), which has fewer fields, functions and operators and no nested
parentheses. The tokens are the same; `and` binds more tightly than `or`. Comparisons convert nothing; a missing field
is null.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from emulator.json_text import compact
from emulator.mapping import LexError, Token, lex
from emulator.segment.event_filters.functions import FUNCTIONS, QueryError, type_name

Event: TypeAlias = Mapping[str, Any]
Expression: TypeAlias = Callable[[Event], Any]

_END = "the end of the query"
# Parentheses, lists and negations within each other: the parser calls itself for each.
_NESTING_LIMIT = 64


class Query:
    """A compiled query; `paths` are those of the fields that it reads. Raises QueryError for text that is no FQL."""

    def __init__(self, text: str) -> None:
        parser = _Parser(text)
        self._evaluate = parser.parsed()
        self.paths = frozenset(parser.paths)

    def matches(self, event: Event) -> bool:
        """Whether it is true for an event, and not merely a string or a number. Raises QueryError."""
        return self._evaluate(event) is True


class _Parser:
    def __init__(self, text: str) -> None:
        try:
            self._tokens = lex(text)
        except LexError as error:
            raise QueryError(str(error)) from None
        self._at = 0
        self._depth = 0
        self.paths: set[tuple[str, ...]] = set()

    def parsed(self) -> Expression:
        expression = self._any()
        if self._next.kind != "eos":
            raise QueryError(f"{_named(self._next)} is not expected here")
        return expression

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _take(self) -> Token:
        token = self._next
        self._at += token.kind != "eos"
        return token

    def _takes(self, kind: str, value: str | None = None) -> bool:
        """Takes the next token if it is this one."""
        found = self._next.kind == kind and value in (None, self._next.value)
        self._at += found
        return found

    def _expect(self, kind: str, sign: str) -> None:
        if not self._takes(kind):
            raise QueryError(f"{sign!r} is expected before {_named(self._next)}")

    def _any(self) -> Expression:
        parts = [self._all()]
        while self._takes("conditional", "or"):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else lambda event: any(part(event) is True for part in parts)

    def _all(self) -> Expression:
        parts = [self._negated()]
        while self._takes("conditional", "and"):
            parts.append(self._negated())
        return parts[0] if len(parts) == 1 else lambda event: all(part(event) is True for part in parts)

    def _negated(self) -> Expression:
        if not self._takes("operator", "!"):
            return self._comparison()
        inner = self._nested(self._negated)
        return lambda event: inner(event) is not True

    def _nested(self, read: Callable[[], Expression]) -> Expression:
        self._depth += 1
        if self._depth > _NESTING_LIMIT:
            raise QueryError(f"it is nested more than {_NESTING_LIMIT} times")
        inner = read()
        self._depth -= 1
        return inner

    def _comparison(self) -> Expression:
        left = self._operand()
        if self._takes("ident", "in"):
            return _within(left, self._operand())
        if self._next.kind != "operator" or self._next.value == "!":
            return left
        operator = self._take().value
        if operator not in _COMPARISONS:
            raise QueryError(f"{operator!r} is no operator")
        compare, right = _COMPARISONS[operator], self._operand()
        return lambda event: compare(left(event), right(event))

    def _operand(self) -> Expression:
        token = self._take()
        if token.kind == "parenleft":
            inner = self._nested(self._any)
            self._expect("parenright", ")")
            return inner
        if token.kind == "brackleft":
            return _list(self._nested_items("brackright", "]"))
        if token.kind == "string":
            text = token.value[1:-1]
            return lambda _event: text
        if token.kind == "number":
            number = float(token.value) if "." in token.value else _integer(token.value)
            return lambda _event: number
        if token.kind == "null":
            return lambda _event: None
        if token.kind != "ident":
            raise QueryError(f"a value is expected before {_named(token)}")
        if self._next.kind == "parenleft":
            return self._function(token.value)
        if token.value in ("true", "false") and self._next.kind != "dot":
            boolean = token.value == "true"
            return lambda _event: boolean
        return self._path(token.value)

    def _nested_items(self, closing: str, sign: str) -> Sequence[Expression]:
        self._depth += 1
        items: list[Expression] = []
        while not self._takes(closing):
            if items:
                self._expect("comma", ",")
            items.append(self._nested(self._any))
            if self._next.kind == "eos":
                raise QueryError(f"{sign!r} is expected before {_END}")
        self._depth -= 1
        return items

    def _function(self, name: str) -> Expression:
        if name not in FUNCTIONS:
            raise QueryError(f"{name!r} is no function")
        self._take()
        arguments = self._nested_items("parenright", ")")
        count, function = FUNCTIONS[name]
        if len(arguments) != count:
            raise QueryError(f"{name}() takes {count} argument{'s' if count > 1 else ''}, not {len(arguments)}")
        return lambda event: function(*(argument(event) for argument in arguments))

    def _path(self, first: str) -> Expression:
        names = [first]
        while self._takes("dot"):
            token = self._take()
            if token.kind not in ("ident", "null", "conditional"):
                raise QueryError(f"a name is expected before {_named(token)}")
            names.append(token.value)
        self.paths.add(tuple(names))
        return lambda event: value_at(event, names)


def value_at(event: Any, names: Sequence[str]) -> Any:
    """The value at a path; None where there is none."""
    for name in names:
        event = event.get(name) if isinstance(event, Mapping) else None
    return event


def _named(token: Token) -> str:
    return _END if token.kind == "eos" else repr(token.value)


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise QueryError(f"{text!r} is no number") from None


def _list(items: Sequence[Expression]) -> Expression:
    return lambda event: [item(event) for item in items]


def _within(left: Expression, right: Expression) -> Expression:
    def test(event: Event) -> bool:
        values = right(event)
        if not isinstance(values, list | None):
            raise QueryError(f"'in' needs a list, and found a value of the type {type_name(values)}")
        wanted = left(event)
        return any(_equal(wanted, value) for value in values or ())

    return test


def _equal(left: Any, right: Any) -> bool:
    if type_name(left) != type_name(right):
        return False
    return compact(left) == compact(right) if isinstance(left, list | dict) else bool(left == right)


def _of_numbers(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda left, right: type_name(left) == type_name(right) == "number" and test(left, right)


_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": _equal,
    "!=": lambda left, right: not _equal(left, right),
    "<": _of_numbers(lambda left, right: left < right),
    "<=": _of_numbers(lambda left, right: left <= right),
    ">": _of_numbers(lambda left, right: left > right),
    ">=": _of_numbers(lambda left, right: left >= right),
}
