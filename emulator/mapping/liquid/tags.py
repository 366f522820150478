"""The tags of LiquidJS; as at Segment, loops and partials are disabled."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from emulator.mapping.javascript.values import WHITESPACE, joined_units, stringify, to_string, truthy
from emulator.mapping.liquid.drops import Block, plain
from emulator.mapping.liquid.expressions import Expression, Operand
from emulator.mapping.liquid.rendering import Context, Output
from emulator.mapping.liquid.template_errors import LiquidFailure
from emulator.mapping.liquid.template_parser import Node, OutputNode, Parser, ParseTag, Rest, not_closed, render_nodes
from emulator.mapping.liquid.template_tokens import TagToken, Token, read_lines
from emulator.mapping.liquid.values import is_true, text

DISABLED_TAGS = ("case", "for", "include", "layout", "render", "tablerow")

_COMMENT_LINE = re.compile(f"\\n[{WHITESPACE}]*[^#{WHITESPACE}]")
_BLOCK_NAME = re.compile("[A-Za-z0-9_]+")


@dataclass(slots=True)
class _Action:
    """A tag that has an effect or writes something, and no content."""

    token: Token
    act: Callable[[Context, Output], None]

    def render(self, context: Context, output: Output) -> None:
        self.act(context, output)


def _nothing(_context: Context, _output: Output) -> None:
    """The effect of a comment."""


def _assign(token: TagToken, _rest: Rest, _parser: Parser) -> Node:
    reader = token.reader
    name = joined_units(reader.name())
    reader.check(name, "expected variable name")
    reader.skip_blanks()
    reader.check(reader.peek() == "=", 'expected "="')
    reader.position += 1
    value = reader.filtered_value()

    def act(context: Context, _output: Output) -> None:
        context.variables[name] = value.evaluate(context)

    return _Action(token, act)


def _capture(token: TagToken, rest: Rest, parser: Parser) -> Node:
    named = token.reader.name()
    quoted = None if named else token.reader.quoted()
    if not named and quoted is None:
        raise token.reader.error("invalid capture name")
    name = joined_units(named or text(quoted.value if quoted else ""))
    nodes = _content(token, rest, parser, "endcapture")

    def act(context: Context, _output: Output) -> None:
        captured = Output()
        render_nodes(nodes, context, captured)
        context.variables[name] = captured.text()

    return _Action(token, act)


def _content(token: TagToken, rest: Rest, parser: Parser, end: str) -> list[Node]:
    nodes: list[Node] = []
    while rest:
        part = rest.popleft()
        if isinstance(part, TagToken) and part.name == end:
            return nodes
        nodes.append(parser.node(part, rest))
    raise not_closed(token)


def _skipped(token: TagToken, rest: Rest, end: str) -> list[Token]:
    """The parts up to the end tag, unread."""
    parts: list[Token] = []
    while rest:
        part = rest.popleft()
        if isinstance(part, TagToken) and part.name == end:
            return parts
        parts.append(part)
    raise not_closed(token)


def _comment(token: TagToken, rest: Rest, _parser: Parser) -> Node:
    _skipped(token, rest, "endcomment")
    return _Action(token, _nothing)


def _inline_comment(token: TagToken, _rest: Rest, _parser: Parser) -> Node:
    if _COMMENT_LINE.search(token.arguments):
        raise LiquidFailure("every line of an inline comment must start with a '#' character")
    return _Action(token, _nothing)


def _raw(token: TagToken, rest: Rest, _parser: Parser) -> Node:
    content = "".join(part.written for part in _skipped(token, rest, "endraw"))
    return _Action(token, lambda _context, output: output.write(content))


def _echo(token: TagToken, _rest: Rest, _parser: Parser) -> Node:
    token.reader.skip_blanks()
    if token.reader.at_end:
        return _Action(token, _nothing)
    return OutputNode(token, token.reader.filtered_value())


def _increment(token: TagToken, _rest: Rest, _parser: Parser) -> Node:
    name = joined_units(token.reader.name())

    def act(context: Context, output: Output) -> None:
        value = context.counter(name)
        context.set_counter(name, value + 1)
        output.write(value)

    return _Action(token, act)


def _decrement(token: TagToken, _rest: Rest, _parser: Parser) -> Node:
    name = joined_units(token.reader.name())

    def act(context: Context, output: Output) -> None:
        context.set_counter(name, context.counter(name) - 1)
        output.write(context.counter(name))

    return _Action(token, act)


def _cycle(token: TagToken, _rest: Rest, _parser: Parser) -> Node:
    reader = token.reader
    begin = reader.position
    group: Operand | None = reader.value()
    reader.skip_blanks()
    if group is not None and reader.peek() == ":":
        reader.position += 1
    elif group is not None:
        reader.position, group = begin, None
    values: list[Expression] = []
    while not reader.at_end:
        values.append(reader.filtered_value())
        reader.past(",")
    reader.check(values, f'empty candidates: "{token.written}"')
    written = ",".join(value.text for value in values)

    def act(context: Context, output: Output) -> None:
        name = "undefined" if group is None else to_string(group.evaluate(context))
        cycle = f"{name}:{written}"
        position = context.cycles.get(cycle, 0)
        context.cycles[cycle] = (position + 1) % len(values)
        value = plain(values[position].evaluate(context))
        # LiquidJS drops values that JavaScript takes for false, such as 0.
        if truthy(value):
            output.write(value)

    return _Action(token, act)


def _stop(token: TagToken, _rest: Rest, _parser: Parser) -> Node:
    def act(context: Context, _output: Output) -> None:
        context.stopped = True

    return _Action(token, act)


def _liquid(token: TagToken, _rest: Rest, parser: Parser) -> Node:
    nodes = parser.nodes(read_lines(token.reader))
    return _Action(token, lambda context, output: render_nodes(nodes, context, output))


def _block(token: TagToken, rest: Rest, parser: Parser) -> Node:
    nodes = _content(token, rest, parser, "endblock")

    def act(context: Context, output: Output) -> None:
        context.inner.append({"block": Block()})
        render_nodes(nodes, context, output)
        context.inner.pop()

    return _Action(token, act)


@dataclass(slots=True)
class _Branches:
    """`if` and `unless`: the first branch whose condition has the wanted result, otherwise the default."""

    token: Token
    branches: list[tuple[Expression, bool, list[Node]]]
    default: list[Node] = field(default_factory=list)

    def render(self, context: Context, output: Output) -> None:
        for condition, wanted, nodes in self.branches:
            if is_true(condition.evaluate(context)) is wanted:
                render_nodes(nodes, context, output)
                return
        render_nodes(self.default, context, output)


def _empty(arguments: str) -> None:
    if arguments:
        raise LiquidFailure(f"unexpected {stringify(arguments)}")


def _if(token: TagToken, rest: Rest, parser: Parser) -> Node:
    """`if`: only `endif` may follow an `else` block."""
    current: list[Node] = []
    node = _Branches(token, [(token.reader.filtered_value(), True, current)])
    has_default = False
    while rest:
        part = rest.popleft()
        name = part.name if isinstance(part, TagToken) else ""
        if not isinstance(part, TagToken) or name not in ("elsif", "else", "endif"):
            current.append(parser.node(part, rest))
        elif name == "elsif":
            if has_default:
                raise LiquidFailure("unexpected elsif after else")
            current = []
            node.branches.append((part.reader.filtered_value(), True, current))
        elif name == "else":
            _empty(part.arguments)
            if has_default:
                raise LiquidFailure("duplicated else")
            has_default, current = True, node.default
        else:
            _empty(part.arguments)
            return node
    raise not_closed(token)


def _unless(token: TagToken, rest: Rest, parser: Parser) -> Node:
    """`unless`: blocks after the first `else` block are skipped, and their conditions not read."""
    current: list[Node] = []
    node = _Branches(token, [(token.reader.filtered_value(), False, current)])
    has_default = False
    while rest:
        part = rest.popleft()
        name = part.name if isinstance(part, TagToken) else ""
        if not isinstance(part, TagToken) or name not in ("elsif", "else", "endunless"):
            current.append(parser.node(part, rest))
        elif name == "endunless":
            return node
        elif name == "else" and not has_default:
            has_default, current = True, node.default
        else:
            current = []
            if not has_default:
                node.branches.append((part.reader.filtered_value(), True, current))
    raise not_closed(token)


def _disabled(token: TagToken, _rest: Rest, _parser: Parser) -> Node:
    raise LiquidFailure(f'tag "{token.name}" is disabled')


TAGS: Mapping[str, ParseTag] = {
    "#": _inline_comment,
    "assign": _assign,
    "block": _block,
    "break": _stop,
    "capture": _capture,
    "comment": _comment,
    "continue": _stop,
    "cycle": _cycle,
    "decrement": _decrement,
    "echo": _echo,
    "if": _if,
    "increment": _increment,
    "liquid": _liquid,
    "raw": _raw,
    "unless": _unless,
    **dict.fromkeys(DISABLED_TAGS, _disabled),
}
