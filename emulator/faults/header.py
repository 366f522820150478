"""A fault for one request, named by the request itself in the header `X-Emulator-Fault`.

status=503
status=429; retryAfter=30
reset; applied=true
{"fault": "partial", "email": "*@example.com"}
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from emulator.errors import InputError
from emulator.faults.rule import REGISTRY, Definition, check_operation, parse_definition
from emulator.protocol import FAULT_HEADER


def parse_header(value: str, operations: Collection[str]) -> Definition:
    """Reads the header; `operations` are the root fields of the schema. Raises InputError."""
    written = _json(value) if value.lstrip().startswith("{") else _pairs(value)
    if "times" in written:
        raise InputError(
            "the header speaks of one request only", where=f"{FAULT_HEADER}: times", found=written["times"]
        )
    try:
        definition = parse_definition(written)
        check_operation(definition.match.operation, operations)
    except InputError as error:
        error.where = f"{FAULT_HEADER}: {error.where}"
        raise
    return definition


def _json(value: str) -> dict[str, Any]:
    try:
        written = json.loads(value)
    except (ValueError, RecursionError):
        written = None
    if not isinstance(written, dict):
        raise InputError("this is not a JSON object", where=FAULT_HEADER, found=value)
    return written


def _pairs(value: str) -> dict[str, Any]:
    first, *others = value.split(";")
    name, has_value, given = (part.strip() for part in first.partition("="))
    written: dict[str, Any] = {"fault": name}
    if has_value:
        kind = REGISTRY.get(name)
        written[kind.main if kind else name] = _scalar(given)
    for other in others:
        key, has_value, given = (part.strip() for part in other.partition("="))
        if not has_value:
            raise InputError("this is not an option", where=FAULT_HEADER, found=other.strip(), allowed="name=value")
        written[key] = _scalar(given)
    return written


def _scalar(text: str) -> Any:
    """A number, true or false where it reads as one, else the text itself."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, int | float) else text
