"""Expressions as LiquidJS reads them: operands and operators in a row, then filters.

LiquidJS has one grammar for outputs, tags and conditions: it puts the row into postfix order, where operators of the
same rank group from the right, and works it off on a stack. What is left at the bottom is the value, so that of
`{{ a b }}` only `a` counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from liquid import TokenStream
from liquid.builtin.expressions import Nil, parse_primitive
from liquid.builtin.expressions.filtered import Filter
from liquid.builtin.expressions.primitive import Blank, Empty
from liquid.exceptions import LiquidSyntaxError
from liquid.expression import Expression
from liquid.token import (
    TOKEN_AND,
    TOKEN_CONTAINS,
    TOKEN_EOF,
    TOKEN_EQ,
    TOKEN_GE,
    TOKEN_GT,
    TOKEN_LE,
    TOKEN_LT,
    TOKEN_NE,
    TOKEN_NOT,
    TOKEN_OR,
    TOKEN_PIPE,
)

from emulator.mapping.javascript.values import UNDEFINED
from emulator.mapping.liquid.values import contains, equal, is_nil, less, less_or_equal, plain

if TYPE_CHECKING:
    from liquid import Environment, RenderContext
    from liquid.token import Token

_RELATION, _NEGATION, _CONNECTIVE = 2, 1, 0
_RANKS: Mapping[str, int] = {
    **dict.fromkeys((TOKEN_EQ, TOKEN_NE, TOKEN_GT, TOKEN_LT, TOKEN_GE, TOKEN_LE, TOKEN_CONTAINS), _RELATION),
    TOKEN_NOT: _NEGATION,
    TOKEN_AND: _CONNECTIVE,
    TOKEN_OR: _CONNECTIVE,
}


def holds(value: object) -> bool:
    """Whether a condition counts as true: all but false and nil do, 0 and the empty text among them."""
    value = plain(value)
    return value is not False and not is_nil(value)


def _ordered(test: Callable[[object, object], bool]) -> Callable[[object, object], bool]:
    def compared(left: object, right: object) -> bool:
        if isinstance(left, Empty | Blank | Nil) or isinstance(right, Empty | Blank | Nil):
            return False
        return test(plain(left), plain(right))

    return compared


_OPERATIONS: Mapping[str, Callable[[object, object], bool]] = {
    TOKEN_EQ: equal,
    TOKEN_NE: lambda left, right: not equal(left, right),
    TOKEN_LT: _ordered(less),
    TOKEN_LE: _ordered(less_or_equal),
    TOKEN_GT: _ordered(lambda left, right: less(right, left)),
    TOKEN_GE: _ordered(lambda left, right: less_or_equal(right, left)),
    TOKEN_CONTAINS: lambda left, right: contains(plain(left), plain(right)),
    TOKEN_AND: lambda left, right: holds(left) and holds(right),
    TOKEN_OR: lambda left, right: holds(left) or holds(right),
    TOKEN_NOT: lambda _nothing, negated: not holds(negated),
}


class Row(Expression):
    """Operands and operators in postfix order, and the filters that the result goes through."""

    __slots__ = ("filters", "postfix")

    def __init__(self, token: Token, postfix: list[Expression | str], filters: list[Filter]) -> None:
        super().__init__(token)
        self.postfix = postfix
        self.filters = filters

    def evaluate(self, context: RenderContext) -> object:
        """The value."""
        stack: list[object] = []
        for part in self.postfix:
            stack.append(_applied(part, stack) if isinstance(part, str) else _operand(part, context))
        value = stack[0]
        for each in self.filters:
            value = each.evaluate(value, context)
        return value

    def children(self) -> list[Expression]:
        """The operands and the arguments of the filters."""
        operands = [part for part in self.postfix if isinstance(part, Expression)]
        return operands + [argument for each in self.filters for argument in each.children()]


class Condition(Expression):
    """A row in an `if` or `unless`: does it hold?"""

    __slots__ = ("row",)

    def __init__(self, row: Row) -> None:
        super().__init__(row.token)
        self.row = row

    def evaluate(self, context: RenderContext) -> bool:
        """Whether it holds."""
        return holds(self.row.evaluate(context))

    def children(self) -> list[Expression]:
        """The row."""
        return [self.row]


def _operand(expression: Expression, context: RenderContext) -> object:
    # The word `nil` stays itself: unlike a null in the event it equals a missing value.
    return expression if isinstance(expression, Nil) else expression.evaluate(context)


def _applied(operator: str, stack: list[object]) -> bool:
    """Takes the operator's operands off the stack; one that is missing is undefined."""
    right = stack.pop() if stack else UNDEFINED
    left = stack.pop() if stack and operator != TOKEN_NOT else UNDEFINED
    return _OPERATIONS[operator](left, right)


def parse_row(env: Environment, tokens: TokenStream) -> Row:
    """Reads the rest of the tokens. Raises LiquidSyntaxError for what is no row of operands, operators and filters."""
    if tokens.tokens and tokens.tokens[-1].kind == TOKEN_PIPE:
        tokens.tokens.pop()  # LiquidJS lets a last `|` without a filter pass
    first = tokens.current
    postfix = list(_postfix(env, tokens))
    if not postfix:
        raise LiquidSyntaxError("invalid value expression", token=first)
    filters = Filter.parse(env, tokens, delim=(TOKEN_PIPE,))
    tokens.eat(TOKEN_EOF)
    return Row(first, postfix, filters)


def _postfix(env: Environment, tokens: TokenStream) -> Iterator[Expression | str]:
    waiting: list[str] = []
    while tokens.current.kind not in (TOKEN_PIPE, TOKEN_EOF):
        kind = tokens.current.kind
        if kind not in _RANKS:
            yield parse_primitive(env, tokens)
            continue
        while waiting and _RANKS[waiting[-1]] > _RANKS[kind]:
            yield waiting.pop()
        waiting.append(next(tokens).kind)
    yield from reversed(waiting)
