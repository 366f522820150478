"""Expressions: operands and operators, then filters.

LiquidJS has one grammar for outputs, tags and conditions: it brings the operands and operators into postfix order, with
operators of the same precedence grouped from the right, and evaluates them on a stack. The bottom of the stack is the
value, so `{{ a b }}` prints `a`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from operator import ge, gt, le, lt
from typing import Any, Protocol

from emulator.mapping.javascript.values import UNDEFINED, ConversionError, to_number
from emulator.mapping.liquid.drops import Block, Drop, plain
from emulator.mapping.liquid.rendering import Context
from emulator.mapping.liquid.template_errors import LiquidFailure, TemplateError
from emulator.mapping.liquid.values import contains, equal, is_true, member, primitive, strict_number, units

_RELATION, _NEGATION, _CONNECTIVE = 2, 1, 0
_PRECEDENCE: Mapping[str, int] = {
    **dict.fromkeys(("==", "!=", ">", "<", ">=", "<=", "contains"), _RELATION),
    "not": _NEGATION,
    "and": _CONNECTIVE,
    "or": _CONNECTIVE,
}
_MOST_NUMBERS = 1_000_000


class Operand(Protocol):
    """A part of an expression with a value."""

    def evaluate(self, context: Context) -> object:
        """The value. Raises LiquidFailure, TemplateError and ConversionError."""
        ...


@dataclass(frozen=True, slots=True)
class Constant:
    """A word, text or number."""

    value: object

    def evaluate(self, _context: Context) -> object:
        return self.value


@dataclass(frozen=True, slots=True)
class Property:
    """A variable, or a property of a constant or range; every part of the path may be an expression."""

    root: Operand | None
    path: tuple[Operand, ...]
    source: str
    begin: int

    def evaluate(self, context: Context) -> object:
        keys = [plain(key.evaluate(context)) for key in self.path]
        try:
            found = context.scope_of(keys[0]) if self.root is None else self.root.evaluate(context)
            for key in keys:
                found = member(found, key)
        except (LiquidFailure, TemplateError, ConversionError) as error:
            raise TemplateError("UndefinedVariableError", str(error), self.source, self.begin) from None
        return found


@dataclass(frozen=True, slots=True)
class Range:
    """`(1..3)`: the numbers from the first to the last."""

    low: Operand
    high: Operand

    def evaluate(self, context: Context) -> object:
        low, high = (strict_number(end.evaluate(context)) for end in (self.low, self.high))
        context.use(high - low + 1)
        if high - low >= _MOST_NUMBERS:
            raise LiquidFailure("memory alloc limit exceeded")
        numbers: list[object] = []
        while low < high + 1 and len(numbers) <= _MOST_NUMBERS:
            numbers.append(low)
            low += 1
        return numbers


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a filter. A named one is passed as an array of its name, as written, and its value."""

    value: Operand | None
    name: str | None = None

    def evaluate(self, context: Context) -> object:
        value = UNDEFINED if self.value is None else self.value.evaluate(context)
        return value if self.name is None else [self.name, value]


@dataclass(frozen=True, slots=True)
class FilterCall:
    """A filter and its arguments. An unknown filter returns its value."""

    name: str
    arguments: tuple[Argument, ...]

    def apply(self, value: object, context: Context) -> object:
        arguments = [argument.evaluate(context) for argument in self.arguments]
        function = context.filters.get(self.name)
        return value if function is None else function(context, value, *arguments)


@dataclass(frozen=True, slots=True)
class Expression:
    """Operands and operators in postfix order, the filters for the result, and the text of both."""

    postfix: tuple[Operand | str, ...]
    filters: tuple[FilterCall, ...]
    text: str

    def evaluate(self, context: Context) -> object:
        stack: list[object] = []
        for part in self.postfix:
            stack.append(_applied(part, stack) if isinstance(part, str) else part.evaluate(context))
        value = stack[0]
        for each in self.filters:
            value = each.apply(value, context)
        return value


def in_postfix_order(terms: Iterable[Operand | str]) -> tuple[Operand | str, ...]:
    """The operands and operators of an expression in the order of their evaluation."""
    return tuple(_postfix(terms))


def _postfix(terms: Iterable[Operand | str]) -> Iterator[Operand | str]:
    waiting: list[str] = []
    for term in terms:
        if not isinstance(term, str):
            yield term
            continue
        while waiting and _PRECEDENCE[waiting[-1]] > _PRECEDENCE[term]:
            yield waiting.pop()
        waiting.append(term)
    yield from reversed(waiting)


def _ordered(test: Callable[[Any, Any], bool]) -> Callable[[object, object], bool]:
    """A comparison of JavaScript: two strings by unit, anything else as numbers."""

    def compared(left: object, right: object) -> bool:
        if any(isinstance(each, Drop) and not isinstance(each, Block) for each in (left, right)):
            return False
        left, right = primitive(left), primitive(right)
        if isinstance(left, str) and isinstance(right, str):
            return test(units(left), units(right))
        return test(to_number(left), to_number(right))

    return compared


_OPERATIONS: Mapping[str, Callable[[object, object], bool]] = {
    "==": equal,
    "!=": lambda left, right: not equal(left, right),
    "<": _ordered(lt),
    "<=": _ordered(le),
    ">": _ordered(gt),
    ">=": _ordered(ge),
    "contains": contains,
    "and": lambda left, right: is_true(left) and is_true(right),
    "or": lambda left, right: is_true(left) or is_true(right),
    "not": lambda _nothing, negated: not is_true(negated),
}


def _applied(operator: str, stack: list[object]) -> bool:
    """Applies an operator to the operands on the stack; a missing one is undefined."""
    right = stack.pop() if stack else UNDEFINED
    left = stack.pop() if stack and operator != "not" else UNDEFINED
    return _OPERATIONS[operator](left, right)
