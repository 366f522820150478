"""The scalars of the schema: their output values, and the JSON that they accept."""

from __future__ import annotations

from typing import Any

from ariadne import ScalarType

from emulator import strict_json
from emulator.errors import EmulatorDefect
from emulator.timestamps import is_iso

big_int = ScalarType("BigInt")
timestamp = ScalarType("ISO8601DateTime")
any_json = ScalarType("JSON")
BINDABLES = [timestamp, any_json]
BINDABLES_2026 = [big_int]


@big_int.serializer
def serialize_big_int(value: Any) -> str:
    """An integer, as a string."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise EmulatorDefect("a BigInt must be an integer", found=value)
    return str(value)


@timestamp.serializer
def serialize_timestamp(value: Any) -> str:
    """A timestamp that is an ISO 8601 string already."""
    if not isinstance(value, str) or not is_iso(value):
        raise EmulatorDefect("an ISO8601DateTime must be an ISO 8601 string", found=value)
    return value


@any_json.value_parser
def parse_json(value: Any) -> Any:
    """Any JSON value; null for a number so large that it was read as infinite, as JavaScript writes it."""
    return strict_json.without_infinity(value)
