"""The tags of LiquidJS that differ from python-liquid: expressions, and a strict `if`."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from liquid import Node, Tag, TokenStream
from liquid.ast import BlockNode, ConditionalBlockNode
from liquid.builtin.expressions import Nil, parse_identifier, tokenize
from liquid.builtin.output import Output, OutputNode
from liquid.builtin.tags.assign_tag import AssignNode, AssignTag
from liquid.builtin.tags.cycle_tag import CycleNode, CycleTag
from liquid.builtin.tags.echo_tag import EchoNode, EchoTag
from liquid.builtin.tags.if_tag import IfNode
from liquid.builtin.tags.unless_tag import UnlessNode
from liquid.exceptions import LiquidSyntaxError, StopRender
from liquid.parser import get_parser
from liquid.token import TOKEN_ASSIGN, TOKEN_EOF, TOKEN_EXPRESSION, TOKEN_OUTPUT, TOKEN_TAG

from emulator.mapping.liquid.expressions import Converted, is_true, parse_expression
from emulator.mapping.liquid.values import text

if TYPE_CHECKING:
    from liquid import RenderContext
    from liquid.token import Token

DISABLED_TAGS = ("case", "for", "include", "layout", "render", "tablerow")
UNKNOWN_TO_LIQUIDJS = ("ifchanged", "doc")


class DisabledTagError(LiquidSyntaxError):
    """A tag of LiquidJS that Segment disables."""


class _OutputTag(Output):
    def parse(self, stream: TokenStream) -> OutputNode:
        token = stream.eat(TOKEN_OUTPUT)
        expression = stream.expect(TOKEN_EXPRESSION)
        tokens = TokenStream(tokenize(expression.value, expression))
        return OutputNode(token, Converted(parse_expression(self.env, tokens), text))


class _EchoTag(EchoTag):
    def parse(self, stream: TokenStream) -> Node:
        if stream.peek.kind != TOKEN_EXPRESSION:
            return EchoNode(stream.current, Nil(stream.current))
        token = stream.eat(TOKEN_TAG)
        tokens = stream.into_inner(tag=token, eat=False)
        return EchoNode(token, Converted(parse_expression(self.env, tokens), text))


class _AssignTag(AssignTag):
    def parse(self, stream: TokenStream) -> AssignNode:
        token = stream.eat(TOKEN_TAG)
        tokens = stream.into_inner(tag=token, eat=False)
        name = parse_identifier(self.env, tokens, allow_trailing_question_mark=False)
        tokens.eat(TOKEN_ASSIGN)
        return AssignNode(token, name=name, expression=parse_expression(self.env, tokens))


class _CycleNode(CycleNode):
    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        group = text(self.group.evaluate(context)) if self.group else ""
        values = [argument.evaluate(context) for argument in self.args]
        position = context.cycle((group, tuple(map(text, values))), len(values))
        return buffer.write(text(values[position])) if position < len(values) else 0


class _CycleTag(CycleTag):
    node_class = _CycleNode


class _IfTag(Tag):
    """`if`: only `endif` may follow an `else` block."""

    name = "if"
    end = "endif"
    lenient = False
    node_class: type[IfNode | UnlessNode] = IfNode

    def parse(self, stream: TokenStream) -> Node:
        token = stream.eat(TOKEN_TAG)
        condition, consequence = self._condition(stream, token), self._block(stream)
        alternatives = []
        while stream.current.is_tag("elsif"):
            branch = next(stream)
            alternatives.append(
                ConditionalBlockNode(branch, expression=self._condition(stream, branch), block=self._block(stream))
            )
        default = self._default(stream) if stream.current.is_tag("else") else None
        while self.lenient and stream.current.kind == TOKEN_TAG and not stream.current.is_tag(self.end):
            self._skipped(stream)
        stream.expect(TOKEN_TAG, value=self.end)
        return self.node_class(token, condition, consequence, alternatives, default)

    def _condition(self, stream: TokenStream, tag: Token) -> Converted:
        return Converted(parse_expression(self.env, stream.into_inner(tag=tag)), is_true)

    def _block(self, stream: TokenStream) -> BlockNode:
        return get_parser(self.env).parse_block(stream, ("elsif", "else", self.end, TOKEN_EOF))

    def _default(self, stream: TokenStream) -> BlockNode:
        branch = next(stream)
        if stream.current.kind == TOKEN_EXPRESSION:
            if not self.lenient:
                raise LiquidSyntaxError(f'unexpected "{stream.current.value}"', token=branch)
            next(stream)
        return self._block(stream)

    def _skipped(self, stream: TokenStream) -> None:
        next(stream)
        if stream.current.kind == TOKEN_EXPRESSION:
            next(stream)
        self._block(stream)


class _UnlessTag(_IfTag):
    """`unless`: blocks after the first `else` block are skipped."""

    name = "unless"
    end = "endunless"
    lenient = True
    node_class = UnlessNode


class _StopNode(Node):
    """`break` and `continue`, which end the rendering outside a loop."""

    def render_to_output(self, _context: RenderContext, _buffer: TextIO) -> int:
        raise StopRender


class _StopTag(Tag):
    block = False

    def parse(self, stream: TokenStream) -> Node:
        return _StopNode(stream.current)


class _DisabledTag(Tag):
    block = False

    def parse(self, stream: TokenStream) -> Node:
        raise DisabledTagError(f'tag "{self.name}" is disabled', token=stream.current)


TAGS: tuple[type[Tag], ...] = (
    *(_OutputTag, _EchoTag, _AssignTag, _CycleTag, _IfTag, _UnlessTag),
    *(type(f"Stop_{name}", (_StopTag,), {"name": name}) for name in ("break", "continue")),
    *(type(f"Disabled_{name}", (_DisabledTag,), {"name": name}) for name in DISABLED_TAGS),
)
"""Tags that replace python-liquid's own."""
