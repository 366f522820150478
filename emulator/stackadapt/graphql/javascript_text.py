"""Values as graphql-js 16 prints them in its errors: variables with `inspect`, literals with `print`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from math import isinf, isnan
from typing import Any, Final

from graphql import ListValueNode, ObjectValueNode, ValueNode, print_ast
from graphql.pyutils import did_you_mean, suggestion_list

_LONGEST_ARRAY: Final = 10
_DEEPEST: Final = 2
# What JavaScript takes for the index of an array: such keys come first in an object, ascending.
_LARGEST_INDEX: Final = 2**32 - 2
# Numbers from here on are printed with an exponent.
_EXPONENT: Final = 21
_SMALLEST_PLAIN: Final = -6


def inspected(value: Any, depth: int = 0) -> str:
    """A JSON value of a variable."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number_text(value)
    if isinstance(value, dict):
        return _object(value, depth)
    if isinstance(value, list):
        return _array(value, depth)
    return "null"


def number_text(number: int | float) -> str:
    """A number as JavaScript prints it: a double, without `.0`, with an exponent from 1e21 on and below 1e-6."""
    try:
        double = float(number)
    except OverflowError:
        double = float("inf") if number > 0 else float("-inf")
    if isnan(double):
        return "NaN"
    if isinf(double):
        return "Infinity" if double > 0 else "-Infinity"
    if double == 0:
        return "0"
    mantissa, _, exponent = f"{abs(Decimal(repr(double))):e}".partition("e")
    text = mantissa.replace(".", "").rstrip("0")
    # How many digits precede the point.
    point = int(exponent) + 1
    if _SMALLEST_PLAIN < point <= _EXPONENT:
        padded = text.rjust(len(text) - min(point - 1, 0), "0").ljust(point, "0")
        at = max(point, 1)
        shown = padded[:at] + ("." + padded[at:] if padded[at:] else "")
    else:
        shown = text[0] + ("." + text[1:] if text[1:] else "") + f"e{point - 1:+d}"
    return "-" * (double < 0) + shown


def printed(node: ValueNode) -> str:
    """A literal of a document."""
    if isinstance(node, ListValueNode):
        return f"[{', '.join(printed(each) for each in node.values)}]"
    if isinstance(node, ObjectValueNode):
        return "{" + ", ".join(f"{each.name.value}: {printed(each.value)}" for each in node.fields) + "}"
    return print_ast(node)


def suggested(name: str, names: Iterable[str], what: str = "") -> str:
    """` Did you mean "a" or "b"?` for the nearest names, or nothing. `what` names the kind of thing."""
    nearest = suggestion_list(name, list(names))
    text = did_you_mean(nearest, what) if what else did_you_mean(nearest)
    return text.replace("'", '"')


def ordered_keys(value: Iterable[str]) -> list[str]:
    """The keys of an object as JavaScript lists them: integers first, ascending."""
    keys = list(value)
    indexes = sorted(filter(_is_index, keys), key=int)
    return [*indexes, *(key for key in keys if not _is_index(key))] if indexes else keys


def _object(value: Mapping[str, Any], depth: int) -> str:
    if not value:
        return "{}"
    if depth >= _DEEPEST:
        return "[Object]"
    return "{ " + ", ".join(f"{key}: {inspected(value[key], depth + 1)}" for key in ordered_keys(value)) + " }"


def _array(value: list[Any], depth: int) -> str:
    if not value:
        return "[]"
    if depth >= _DEEPEST:
        return "[Array]"
    shown = [inspected(each, depth + 1) for each in value[:_LONGEST_ARRAY]]
    more = len(value) - _LONGEST_ARRAY
    if more > 0:
        shown.append(f"... {more} more item{'s' if more > 1 else ''}")
    return f"[{', '.join(shown)}]"


def _is_index(key: str) -> bool:
    return key.isascii() and key.isdigit() and (key == "0" or key[0] != "0") and int(key) <= _LARGEST_INDEX
