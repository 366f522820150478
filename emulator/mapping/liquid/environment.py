"""python-liquid set up as Segment sets up LiquidJS."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from io import StringIO
from typing import TYPE_CHECKING, TextIO

from liquid import BoundTemplate, Environment, Node, RenderContext, Tag, TokenStream, Undefined
from liquid.builtin.expressions import parse_identifier, tokenize
from liquid.builtin.output import Output, OutputNode
from liquid.builtin.tags.assign_tag import AssignTag
from liquid.builtin.tags.cycle_tag import CycleNode, CycleTag
from liquid.builtin.tags.echo_tag import EchoNode, EchoTag
from liquid.builtin.tags.if_tag import IfNode, IfTag
from liquid.builtin.tags.unless_tag import UnlessNode, UnlessTag
from liquid.exceptions import LiquidSyntaxError, StopRender
from liquid.utils import ReadOnlyChainMap

from emulator.mapping.javascript import UNDEFINED, is_number
from emulator.mapping.liquid.date_filters import date_filters
from emulator.mapping.liquid.expressions import Condition, parse_row
from emulator.mapping.liquid.list_filters import LIST_FILTERS
from emulator.mapping.liquid.number_filters import NUMBER_FILTERS
from emulator.mapping.liquid.text_filters import TEXT_FILTERS
from emulator.mapping.liquid.url_filters import ENCODING_FILTERS
from emulator.mapping.liquid.values import WrongValue, charge, member, plain, text

if TYPE_CHECKING:
    from liquid.token import Token

DISABLED_TAGS = ("case", "for", "include", "layout", "render", "tablerow")
DISABLED_FILTERS = (
    "array_to_sentence_string",
    "concat",
    "find",
    "find_exp",
    "find_index",
    "find_index_exp",
    "group_by",
    "group_by_exp",
    "has",
    "has_exp",
    "map",
    "newline_to_br",
    "reject",
    "reject_exp",
    "reverse",
    "sort",
    "sort_natural",
    "uniq",
    "where_exp",
    "type",
)
_UNKNOWN_TO_LIQUIDJS = ("ifchanged", "doc")

Filter = Callable[..., object]


class SwitchedOffTag(LiquidSyntaxError):
    """A tag that exists in LiquidJS and that Segment does not allow."""


class _Output(StringIO):
    """What a template or a `capture` writes: kept as it is, and limited."""

    def __init__(self) -> None:
        super().__init__()
        self._written = 0

    def write(self, piece: str) -> int:
        self._written += len(piece)
        charge(self._written)
        return super().write(piece)


class _Context(RenderContext):
    """Look-ups as LiquidJS makes them; no `now` and `today` of python-liquid's own."""

    __slots__ = ()

    def __init__(self, template: BoundTemplate, **options: object) -> None:
        super().__init__(template, **options)  # type: ignore[arg-type]  # passed through as they come
        self.scope = ReadOnlyChainMap(self.locals, self.counters, self.globals)

    def get(self, path: list[object], *, token: Token | None, default: object = UNDEFINED) -> object:
        """The value at a path, an undefined object when there is none."""
        value = self.scope.get(path[0], UNDEFINED) if isinstance(path[0], str) else UNDEFINED
        for key in path[1:]:
            value = member(plain(value), plain(key))
        if value is not UNDEFINED:
            return value
        return self.env.undefined(str(path[0]), token=token) if default is UNDEFINED else default

    def get_buffer(self, _outer: TextIO | None = None) -> StringIO:
        """Where a block writes."""
        return _Output()

    def increment(self, name: str) -> int:
        """The number of that name in the event or counted so far, else 0; one more the next time."""
        value = self._count(name)
        self.counters[name] = value + 1
        return value

    def decrement(self, name: str) -> int:
        """One less than the number of that name in the event or counted so far."""
        self.counters[name] = self._count(name) - 1
        return self.counters[name]

    def _count(self, name: str) -> int:
        found = self.counters.get(name, self.globals.get(name))
        return found if is_number(found) else 0  # type: ignore[return-value]  # a double counts as well


class _Template(BoundTemplate):
    context_class = _Context

    def _get_buffer(self) -> StringIO:
        return _Output()

    def make_partial_namespace(self, partial: bool, render_args: Mapping[str, object]) -> Mapping[str, object]:
        # python-liquid would add a variable named `partial`, before the event's own.
        del partial
        return render_args


class _OutputNode(OutputNode):
    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        return buffer.write(text(self.expression.evaluate(context)))


class _EchoNode(EchoNode):
    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        return buffer.write(text(self.expression.evaluate(context)))


class _CycleNode(CycleNode):
    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        group = text(self.group.evaluate(context)) if self.group else ""
        values = [argument.evaluate(context) for argument in self.args]
        position = context.cycle((group, tuple(map(text, values))), len(values))
        return buffer.write(text(values[position])) if position < len(values) else 0


class _OutputTag(Output):
    node_class = _OutputNode


class _EchoTag(EchoTag):
    node_class = _EchoNode


class _CycleTag(CycleTag):
    node_class = _CycleNode


class _IfTag(IfTag):
    def parse(self, stream: TokenStream) -> Node:
        return _with_conditions(super().parse(stream))


class _UnlessTag(UnlessTag):
    def parse(self, stream: TokenStream) -> Node:
        return _with_conditions(super().parse(stream))


class _StopNode(Node):
    """`break` and `continue`: without a loop around them they end the rendering."""

    def render_to_output(self, _context: RenderContext, _buffer: TextIO) -> int:
        raise StopRender


class _BreakTag(Tag):
    name = "break"
    block = False

    def parse(self, stream: TokenStream) -> Node:
        return _StopNode(stream.current)


class _ContinueTag(_BreakTag):
    name = "continue"


def _with_conditions(node: Node) -> Node:
    if isinstance(node, IfNode | UnlessNode):
        node.condition = converted(node.condition)
        for alternative in node.alternatives:
            alternative.expression = converted(alternative.expression)
    return node


class _DisabledTag(Tag):
    block = False

    def parse(self, stream: TokenStream) -> Node:
        raise SwitchedOffTag(f'tag "{self.name}" is disabled', token=stream.current)


class _Environment(Environment):
    template_class = _Template
    suppress_blank_control_flow_blocks = False
    shorthand_indexes = True
    block_nesting_limit = 100
    logical_not_operator = True

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        super().setup_tags_and_filters(extra=extra)
        for tag in (_OutputTag, _EchoTag, _CycleTag, _IfTag, _UnlessTag, _BreakTag, _ContinueTag):
            self.add_tag(tag)
        for name in DISABLED_TAGS:
            self.add_tag(type(f"Disabled_{name}", (_DisabledTag,), {"name": name}))
        for name in _UNKNOWN_TO_LIQUIDJS:
            self.tags.pop(name, None)
        self.filters.clear()


def environment(now: Callable[[], datetime]) -> Environment:
    """The environment in which templates are read. Filters that LiquidJS does not know let values pass."""
    built = _Environment(strict_filters=False)
    known: Mapping[str, Filter] = {
        **TEXT_FILTERS,
        **NUMBER_FILTERS,
        **LIST_FILTERS,
        **ENCODING_FILTERS,
        **date_filters(now),
    }
    for name, function in known.items():
        built.add_filter(name, _adapted(function))
    for name in DISABLED_FILTERS:
        built.add_filter(name, _disabled(name))
    return built


def _adapted(function: Filter) -> Filter:
    """A filter as python-liquid calls it: plain values in, superfluous arguments dropped as JavaScript drops them."""
    code = function.__code__
    accepted = code.co_argcount

    def filtered(value: object, *arguments: object, **named: object) -> object:
        given = [plain(each) for each in (value, *arguments)][:accepted]
        options = {name: plain(each) for name, each in named.items() if name in code.co_varnames}
        result = function(*given, **options)
        return Undefined(function.__name__) if result is UNDEFINED else result

    return filtered


def _disabled(name: str) -> Filter:
    def refuse(*_arguments: object, **_named: object) -> object:
        raise WrongValue(f'filter "{name}" is disabled')

    return refuse
