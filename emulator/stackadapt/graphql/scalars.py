"""The scalars of the schema: what they may hold when they go out, and which JSON comes in."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from ariadne import ScalarType
from graphql import GraphQLError

from emulator.errors import EmulatorDefect
from emulator.timestamps import is_iso

big_int = ScalarType("BigInt")
moment = ScalarType("ISO8601DateTime")
any_json = ScalarType("JSON")
SCALARS = [moment, any_json]
SCALARS_2026 = [big_int]


@big_int.serializer
def serialize_big_int(value: Any) -> str:
    """A whole number, as text."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise EmulatorDefect("a BigInt is no whole number", found=value)
    return str(value)


@moment.serializer
def serialize_moment(value: Any) -> str:
    """A moment that is text already."""
    if not isinstance(value, str) or not is_iso(value):
        raise EmulatorDefect("an ISO8601DateTime is no moment", found=value)
    return value


@any_json.value_parser
def parse_json(value: Any) -> Any:
    """Any JSON value. Raises GraphQLError for a number so large that it was read as infinite."""
    for each in _scalars_of(value):
        if isinstance(each, float) and not math.isfinite(each):
            raise GraphQLError("JSON cannot represent a number that is not finite.")
    return value


def _scalars_of(value: Any) -> Iterator[Any]:
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            waiting.extend(each.values())
        elif isinstance(each, list):
            waiting.extend(each)
        else:
            yield each
