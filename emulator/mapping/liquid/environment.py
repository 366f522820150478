"""python-liquid configured as Segment configures LiquidJS."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from io import StringIO
from typing import TYPE_CHECKING, TextIO

from liquid import BoundTemplate, Environment, RenderContext, Undefined
from liquid.utils import ReadOnlyChainMap

from emulator.mapping.javascript.values import UNDEFINED, double, is_number
from emulator.mapping.liquid.date_filters import date_filters
from emulator.mapping.liquid.encoding_filters import ENCODING_FILTERS, JSON_FILTERS, json_value
from emulator.mapping.liquid.tags import TAGS, UNKNOWN_TO_LIQUIDJS
from emulator.mapping.liquid.text_filters import TEXT_FILTERS
from emulator.mapping.liquid.value_filters import LIST_FILTERS, NUMBER_FILTERS
from emulator.mapping.liquid.values import FilterError, check_size, member, number, plain, text

if TYPE_CHECKING:
    from liquid.token import Token

DISABLED_FILTERS = (
    *("array_to_sentence_string", "concat", "find", "find_exp", "find_index", "find_index_exp", "group_by"),
    *("group_by_exp", "has", "has_exp", "map", "newline_to_br", "reject", "reject_exp", "reverse", "sort"),
    *("sort_natural", "uniq", "where_exp", "type"),
)

Filter = Callable[..., object]


class _Output(StringIO):
    """The output of a template or a `capture`, limited in size."""

    def __init__(self) -> None:
        super().__init__()
        self._written = 0

    def write(self, piece: str) -> int:
        self._written += len(piece)
        check_size(self._written)
        return super().write(piece)


class _Context(RenderContext):
    """Look-ups of LiquidJS, without `now` and `today` of python-liquid, and with counters in the event."""

    __slots__ = ("event",)

    def __init__(self, template: BoundTemplate, event: dict[str, object]) -> None:
        super().__init__(template)
        self.event = event
        self.scope = ReadOnlyChainMap(self.locals, event)

    def get(self, path: list[object], *, token: Token | None, default: object = UNDEFINED) -> object:
        """The value at a path, otherwise an undefined object."""
        root, *keys = path
        known = isinstance(root, str) and root in self.scope
        # An unknown name is looked up in an empty object, which has a size.
        value = self.scope[root] if known else member({}, plain(root))  # type: ignore[index]  # a string
        for key in keys:
            value = member(plain(value), plain(key))
        if value is not UNDEFINED:
            return value
        return self.env.undefined(str(root), token=token) if default is UNDEFINED else default

    def get_buffer(self, _outer: TextIO | None = None) -> StringIO:
        return _Output()

    def increment(self, name: str) -> str:  # type: ignore[override]  # floats print as in JavaScript
        """The event's number of that name, or 0, printed; the event then holds one more."""
        value = self._count(name)
        self.event[name] = double(value + 1)
        return text(value)

    def decrement(self, name: str) -> str:  # type: ignore[override]
        """One less than the event's number of that name, or than 0, printed; the event then holds it."""
        value = self._count(name)
        self.event[name] = double(value - 1)
        return text(self.event[name])

    def _count(self, name: str) -> int | float:
        found = self.event.get(name)
        return number(found) if is_number(found) else 0


class Template(BoundTemplate):
    """A template that renders for an event, into which `increment` and `decrement` write their counters."""

    def rendered(self, event: dict[str, object]) -> str:
        """The output. Raises LiquidError."""
        output = _Output()
        self.render_with_context(_Context(self, event), output)
        return output.getvalue()

    def make_partial_namespace(self, partial: bool, render_args: Mapping[str, object]) -> Mapping[str, object]:
        # python-liquid would add a variable `partial` that hides the event's own.
        del partial
        return render_args


class _Environment(Environment):
    template_class = Template
    suppress_blank_control_flow_blocks = False
    shorthand_indexes = True
    block_nesting_limit = 100

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        super().setup_tags_and_filters(extra=extra)
        for tag in TAGS:
            self.add_tag(tag)
        for name in UNKNOWN_TO_LIQUIDJS:
            self.tags.pop(name, None)
        self.filters.clear()


def read_template(source: str, now: Callable[[], datetime]) -> Template:
    """Parses a template. Unknown filters return the value. Raises LiquidError."""
    built = _Environment(strict_filters=False)
    dates = date_filters(now)
    for name, function in {**TEXT_FILTERS, **NUMBER_FILTERS, **LIST_FILTERS, **ENCODING_FILTERS, **dates}.items():
        may_keep_value = name in ("raw", "truncate") or name in dates
        built.filters[name] = _value_keeping(function) if may_keep_value else _adapted(function, plain)
    built.filters |= {name: _adapted(function, json_value) for name, function in JSON_FILTERS.items()}
    built.filters |= {name: _disabled(name) for name in DISABLED_FILTERS}
    template = built.from_string(source)
    assert isinstance(template, Template)  # noqa: S101 - the environment's own class
    return template


def _adapted(function: Filter, converted: Callable[[object], object]) -> Filter:
    """A filter for python-liquid: arguments are converted, and extra ones ignored as in JavaScript."""
    code = function.__code__
    accepted = code.co_argcount

    def filtered(value: object, *arguments: object, **named: object) -> object:
        given = [converted(each) for each in (value, *arguments)][:accepted]
        options = {name: converted(each) for name, each in named.items() if name in code.co_varnames}
        result = function(*given, **options)
        return Undefined(function.__name__) if result is UNDEFINED else result

    return filtered


def _value_keeping(function: Filter) -> Filter:
    """A filter that may return its value, which is then the original `nil`, `empty` or `blank`."""
    adapted = _adapted(function, plain)

    def filtered(value: object, *arguments: object, **named: object) -> object:
        result = adapted(value, *arguments, **named)
        return value if result is plain(value) else result

    return filtered


def _disabled(name: str) -> Filter:
    def refuse(*_arguments: object, **_named: object) -> object:
        raise FilterError(f'filter "{name}" is disabled')

    return refuse
