"""LiquidJS filters for arrays and for values of any type."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

from emulator.mapping.javascript.values import (
    UNDEFINED,
    double,
    is_nullish,
    is_number,
    joined_units,
    to_number,
    to_string,
    truthy,
)
from emulator.mapping.liquid.drops import Drop, plain
from emulator.mapping.liquid.reader import Reader
from emulator.mapping.liquid.rendering import Context, Filter
from emulator.mapping.liquid.template_errors import LiquidFailure
from emulator.mapping.liquid.text_filters import code_points
from emulator.mapping.liquid.values import (
    ceiling,
    equal,
    is_true,
    items,
    member,
    primitive,
    strict_number,
    text,
    units,
    whole,
)

_MOST_NESTED_ITEMS = 200_000


def default(_context: Context, value: object, fallback: object = UNDEFINED, *options: object) -> object:
    """The fallback for nil, false, and an empty string or array, but not for 0."""
    value = plain(value)
    if isinstance(value, str | list):
        return value or fallback
    if value is False and truthy(_options(options).get("allow_false")):
        return False
    return value if is_true(value) else fallback


def _options(arguments: tuple[object, ...]) -> dict[object, object]:
    """Named arguments by name. LiquidJS fails for the others, because they are no pairs of a map."""
    found: dict[object, object] = {}
    for argument in arguments:
        if not isinstance(argument, list | dict | Drop):
            raise LiquidFailure(f"Iterator value {_shown(argument)} is not an entry object")
        if isinstance(argument, list) and argument and isinstance(argument[0], str):
            found[argument[0]] = argument[1] if len(argument) > 1 else UNDEFINED
    return found


def _shown(value: object) -> str:
    return joined_units(to_string(value))


def join(context: Context, value: object, separator: object = UNDEFINED) -> str:
    separator = plain(separator)
    glue = " " if is_nullish(separator) else text(separator)
    found = items(value)
    context.use(len(glue) * max(len(found) - 1, 0) + sum(len(units(to_string(item))) for item in found))
    return glue.join("" if is_nullish(item) else units(to_string(item)) for item in found)


def _sequence(value: object) -> list[object] | None:
    """An array, the units of a string, or the items of an object with a number as its length; None for the others."""
    value = plain(value)
    if isinstance(value, list) or (isinstance(value, str) and value):
        return value if isinstance(value, list) else list(units(value))
    length = value.get("length") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not is_number(length):
        return None
    return _Indexed(value, strict_number(length))


class _Indexed(list[object]):
    """The first and last item of an object with a length."""

    def __init__(self, value: dict[str, object], length: int | float) -> None:
        ends = (value.get(to_string(position), UNDEFINED) for position in (0, double(length - 1)))
        super().__init__(ends)


def first(_context: Context, value: object) -> object:
    found = _sequence(value)
    return "" if found is None else found[0] if found else UNDEFINED


def last(_context: Context, value: object) -> object:
    found = _sequence(value)
    return "" if found is None else found[-1] if found else UNDEFINED


def size(_context: Context, value: object) -> object:
    """The length of a string or array, and what an object has as its length, otherwise 0."""
    length = UNDEFINED if isinstance(value, Drop) else member(value, "length")
    return length if truthy(length) else 0


def total(_context: Context, value: object, path: object = UNDEFINED) -> object:
    """The sum of the items, or of a member of each; other values than numbers are ignored."""
    found: float = 0
    for item in items(value):
        summand = strict_number(reduce(member, text(path).split("."), item) if truthy(path) else item)
        found += 0 if summand != summand else summand
    return double(found)


def _added(left: object, right: object) -> object:
    """`left + right`: strings are joined, anything else is added."""
    left, right = primitive(left), primitive(right)
    if isinstance(left, str) or isinstance(right, str):
        return to_string(left) + to_string(right)
    return double(to_number(left) + to_number(right))


def cut(context: Context, value: object, begin: object = UNDEFINED, length: object = UNDEFINED) -> object:
    """`slice`: a part of an array or string, in code points; a negative begin counts from the end."""
    source, length = plain(value), 1 if length is UNDEFINED else length
    if is_nullish(source):
        return []
    whole_source: list[object] | list[str] = source if isinstance(source, list) else code_points(text(source))
    if strict_number(begin) < 0:
        begin = _added(len(whole_source), begin)
    if strict_number(begin) < 0 or strict_number(length) < 0:
        return [] if isinstance(source, list) else ""
    context.use(strict_number(length))
    if isinstance(source, list):
        return source[whole(begin) : _end(begin, length)]
    start = ceiling(begin)
    return units("".join(map(str, whole_source[start : start + ceiling(length)])))


def _end(begin: object, length: object) -> int:
    """The end of a part of an array. With a string it is the concatenation: 11 for 1 and `"1"`."""
    return whole(_added(begin, length))


def where(context: Context, value: object, path: object = UNDEFINED, expected: object = UNDEFINED) -> list[object]:
    """The items whose member equals the expected value, or is neither false nor nil without one."""
    found = items(value)
    context.use(len(found))
    variable = Reader(text(path)).scope_value()

    def wanted(item: object) -> bool:
        held = UNDEFINED if variable is None else variable.evaluate(context.of_item(item))
        return is_true(held) if expected is UNDEFINED else equal(held, expected)

    return [item for item in found if wanted(item)]


def sample(context: Context, value: object, count: object = UNDEFINED) -> object:
    """The first items: LiquidJS draws at random, but a mapping here must be reproducible."""
    value = plain(value)
    if is_nullish(value):
        return []
    source: list[object] = value if isinstance(value, list) else [*map(units, code_points(text(value)))]
    context.use(len(source))
    if count is UNDEFINED or count == 1:
        return source[0] if source else UNDEFINED
    return source[: whole(count)]


def _with_counted_items(context: Context, value: object) -> list[object]:
    found = items(value)
    context.use(len(found))
    return found


def push(context: Context, value: object, item: object = UNDEFINED) -> list[object]:
    found = items(value)
    context.use(len(found) + 1)
    return _within_limit([*found, item])


def unshift(context: Context, value: object, item: object = UNDEFINED) -> list[object]:
    return _within_limit([item, *_with_counted_items(context, value)])


def _within_limit(value: list[object]) -> list[object]:
    """The array. Raises LiquidFailure when it holds arrays with too many items in all.

    LiquidJS counts one item for an array, so that a template can double what an array prints with every `push`; nothing
    here would end. Each array is visited once, however often it occurs.
    """
    sizes: dict[int, int] = {}
    waiting: list[tuple[list[object], bool]] = [(value, False)]
    while waiting:
        found, complete = waiting.pop()
        inner = [item for item in found if isinstance(item, list)]
        if complete:
            sizes[id(found)] = len(found) + sum(sizes[id(item)] for item in inner)
        elif id(found) not in sizes:
            sizes[id(found)] = 0
            waiting.append((found, True))
            waiting.extend((item, False) for item in inner)
    if sizes[id(value)] - len(value) > _MOST_NESTED_ITEMS:
        raise LiquidFailure("memory alloc limit exceeded")
    return value


def compact(context: Context, value: object) -> list[object]:
    return [item for item in _with_counted_items(context, value) if not is_nullish(plain(item))]


LIST_FILTERS: Mapping[str, Filter] = {
    "compact": compact,
    "default": default,
    "first": first,
    "join": join,
    "last": last,
    "pop": lambda context, value: _with_counted_items(context, value)[:-1],
    "push": push,
    "raw": lambda _context, value: value,
    "sample": sample,
    "shift": lambda context, value: _with_counted_items(context, value)[1:],
    "size": size,
    "slice": cut,
    "sum": total,
    "unshift": unshift,
    "where": where,
}
