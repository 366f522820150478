"""Parses the parts of a template to nodes, and renders them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from emulator.mapping.javascript.values import ConversionError
from emulator.mapping.liquid.expressions import Expression
from emulator.mapping.liquid.rendering import Context, Output
from emulator.mapping.liquid.template_errors import LiquidFailure, TemplateError
from emulator.mapping.liquid.template_tokens import OutputToken, TagToken, Text, Token, read_tokens

Rest: TypeAlias = deque[Token]
"""The parts behind a tag: the tag removes those that belong to it."""


class Node(Protocol):
    """A part of a template that can be rendered."""

    token: Token

    def render(self, context: Context, output: Output) -> None:
        """Writes to the output. Raises LiquidFailure, TemplateError and ConversionError."""
        ...


ParseTag: TypeAlias = Callable[[TagToken, Rest, "Parser"], Node]


@dataclass(slots=True)
class _TextNode:
    token: Token
    content: str

    def render(self, _context: Context, output: Output) -> None:
        output.write(self.content)


@dataclass(slots=True)
class OutputNode:
    """`{{ … }}` and `echo`."""

    token: Token
    expression: Expression

    def render(self, context: Context, output: Output) -> None:
        output.write(self.expression.evaluate(context))


class Parser:
    """Parses templates that may have these tags."""

    def __init__(self, tags: Mapping[str, ParseTag]) -> None:
        self._tags = tags

    def template(self, source: str) -> list[Node]:
        """The nodes of a template. Raises TemplateError."""
        return self.nodes(read_tokens(source))

    def nodes(self, rest: Rest) -> list[Node]:
        nodes = []
        while rest:
            nodes.append(self.node(rest.popleft(), rest))
        return nodes

    def node(self, token: Token, rest: Rest) -> Node:
        """One node; a tag removes the parts that belong to it. Raises TemplateError."""
        try:
            if isinstance(token, TagToken):
                if token.name not in self._tags:
                    raise LiquidFailure(f'tag "{token.name}" not found')
                return self._tags[token.name](token, rest, self)
            if isinstance(token, OutputToken):
                return OutputNode(token, token.reader.filtered_value())
            return _TextNode(token, token.content if isinstance(token, Text) else "")
        except LiquidFailure as failure:
            raise TemplateError("ParseError", str(failure), token.source, token.begin) from None


def not_closed(token: Token) -> LiquidFailure:
    """The failure of a tag without its end."""
    return LiquidFailure(f"tag {token.written} not closed")


def render_nodes(nodes: Iterable[Node], context: Context, output: Output) -> None:
    """Renders nodes until `break` or `continue`, which outside a loop end the whole template. Raises TemplateError."""
    for node in nodes:
        try:
            node.render(context, output)
        except (LiquidFailure, ConversionError) as failure:
            raise TemplateError("RenderError", str(failure), node.token.source, node.token.begin) from None
        if context.stopped:
            return
