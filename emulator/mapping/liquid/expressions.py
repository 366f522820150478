"""Expressions as LiquidJS parses them: operands and operators, then filters.

LiquidJS has one grammar for outputs, tags and conditions: it brings the operands and operators into postfix order, with
operators of the same precedence grouped from the right, and evaluates them on a stack. The bottom of the stack is the
value, so `{{ a b }}` prints `a`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from operator import ge, gt, le, lt
from typing import TYPE_CHECKING, Any

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

from emulator.mapping.javascript.values import UNDEFINED, is_nullish, to_number
from emulator.mapping.liquid.values import contains, equal, plain, primitive

if TYPE_CHECKING:
    from liquid import Environment, RenderContext
    from liquid.token import Token

_RELATION, _NEGATION, _CONNECTIVE = 2, 1, 0
_PRECEDENCE: Mapping[str, int] = {
    **dict.fromkeys((TOKEN_EQ, TOKEN_NE, TOKEN_GT, TOKEN_LT, TOKEN_GE, TOKEN_LE, TOKEN_CONTAINS), _RELATION),
    TOKEN_NOT: _NEGATION,
    TOKEN_AND: _CONNECTIVE,
    TOKEN_OR: _CONNECTIVE,
}


def is_true(value: object) -> bool:
    """Whether a value is true in a condition: all but false and nil, including 0 and the empty string."""
    value = plain(value)
    return value is not False and not is_nullish(value)


def _ordered(test: Callable[[Any, Any], bool]) -> Callable[[object, object], bool]:
    """A comparison of JavaScript: two strings by character, anything else as numbers."""

    def compared(left: object, right: object) -> bool:
        if isinstance(left, Empty | Blank | Nil) or isinstance(right, Empty | Blank | Nil):
            return False
        left, right = primitive(plain(left)), primitive(plain(right))
        if isinstance(left, str) and isinstance(right, str):
            return test(left, right)
        return test(to_number(left), to_number(right))

    return compared


_OPERATIONS: Mapping[str, Callable[[object, object], bool]] = {
    TOKEN_EQ: equal,
    TOKEN_NE: lambda left, right: not equal(left, right),
    TOKEN_LT: _ordered(lt),
    TOKEN_LE: _ordered(le),
    TOKEN_GT: _ordered(gt),
    TOKEN_GE: _ordered(ge),
    TOKEN_CONTAINS: lambda left, right: contains(plain(left), plain(right)),
    TOKEN_AND: lambda left, right: is_true(left) and is_true(right),
    TOKEN_OR: lambda left, right: is_true(left) or is_true(right),
    TOKEN_NOT: lambda _nothing, negated: not is_true(negated),
}


class PostfixExpression(Expression):
    """Operands and operators in postfix order, and the filters for the result."""

    __slots__ = ("filters", "postfix")

    def __init__(self, token: Token, postfix: list[Expression | str], filters: list[Filter]) -> None:
        super().__init__(token)
        self.postfix = postfix
        self.filters = filters

    def evaluate(self, context: RenderContext) -> object:
        stack: list[object] = []
        for part in self.postfix:
            stack.append(_applied(part, stack) if isinstance(part, str) else _operand(part, context))
        value = stack[0]
        for each in self.filters:
            value = each.evaluate(value, context)
        return value

    def children(self) -> list[Expression]:
        operands = [part for part in self.postfix if isinstance(part, Expression)]
        return operands + [argument for each in self.filters for argument in each.children()]


class Converted(Expression):
    """An expression with a conversion of its value: `text` where it is printed, `is_true` in a condition."""

    __slots__ = ("convert", "expression")

    def __init__(self, expression: PostfixExpression, convert: Callable[[object], object]) -> None:
        super().__init__(expression.token)
        self.expression = expression
        self.convert = convert

    def evaluate(self, context: RenderContext) -> object:
        return self.convert(self.expression.evaluate(context))

    def children(self) -> list[Expression]:
        return [self.expression]


def _operand(expression: Expression, context: RenderContext) -> object:
    # The word `nil` is kept: unlike a null in the event, it equals a missing value.
    return expression if isinstance(expression, Nil) else expression.evaluate(context)


def _applied(operator: str, stack: list[object]) -> bool:
    """Applies an operator to the operands on the stack; a missing one is undefined."""
    right = stack.pop() if stack else UNDEFINED
    left = stack.pop() if stack and operator != TOKEN_NOT else UNDEFINED
    return _OPERATIONS[operator](left, right)


def parse_expression(env: Environment, tokens: TokenStream) -> PostfixExpression:
    """Parses the rest of the tokens. Raises LiquidSyntaxError for an invalid expression."""
    if tokens.tokens and tokens.tokens[-1].kind == TOKEN_PIPE:
        tokens.tokens.pop()  # LiquidJS accepts a final `|` without a filter
    first = tokens.current
    postfix = list(_postfix(env, tokens))
    if not postfix:
        raise LiquidSyntaxError("invalid value expression", token=first)
    filters = Filter.parse(env, tokens, delim=(TOKEN_PIPE,))
    tokens.eat(TOKEN_EOF)
    return PostfixExpression(first, postfix, filters)


def _postfix(env: Environment, tokens: TokenStream) -> Iterator[Expression | str]:
    waiting: list[str] = []
    while tokens.current.kind not in (TOKEN_PIPE, TOKEN_EOF):
        kind = tokens.current.kind
        if kind not in _PRECEDENCE:
            yield parse_primitive(env, tokens)
            continue
        while waiting and _PRECEDENCE[waiting[-1]] > _PRECEDENCE[kind]:
            yield waiting.pop()
        waiting.append(next(tokens).kind)
    yield from reversed(waiting)
