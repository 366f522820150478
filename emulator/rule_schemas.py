"""JSON Schemas that users write: the rules of tracking plans. Draft 7, as Segment's, unless `$schema` names another."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from jsonschema import Draft7Validator
from jsonschema.exceptions import SchemaError
from jsonschema.validators import validator_for
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT7

from emulator.errors import InputError
from emulator.schemas import place
from emulator.timestamps import parse_timestamp

# A reference to another document is not followed: nothing is fetched.
_NOTHING_ELSE: Registry[Any] = Registry()
_FORMATS = deepcopy(Draft7Validator.FORMAT_CHECKER)


def _is_timestamp(value: object) -> bool:
    return not isinstance(value, str) or parse_timestamp(value) is not None


# `jsonschema` checks this format only with a further library.
_FORMATS.checks("date-time")(_is_timestamp)


def check_schema(schema: Mapping[str, Any], *, where: str) -> None:
    """Raises InputError for what is no JSON Schema, at its place in it; `where` is the place of the whole."""
    try:
        # The stubs do not know the format checker, without which any text passes for a regular expression.
        kind: Any = validator_for(schema, default=Draft7Validator)
        kind.check_schema(schema, format_checker=_FORMATS)
        _check_references(schema)
        next(compiled(schema).iter_errors({}), None)
    except SchemaError as error:
        raise InputError(
            f"the JSON Schema is invalid: {error.message}",
            where=f"{where}.{place(error.absolute_path)}" if error.absolute_path else where,
            hint="Write it as the tracking plan shows it under Edit JSON Schema.",
        ) from None
    except Unresolvable as error:
        raise InputError(
            "the JSON Schema refers to a schema that is not in it",
            where=where,
            found=error.ref,
            hint="Write the schema that it refers to in its place.",
        ) from None
    except RecursionError:
        raise InputError(
            "the JSON Schema refers to itself without end", where=where, hint="Remove the reference to itself."
        ) from None


def _check_references(schema: Mapping[str, Any]) -> None:
    resource = DRAFT7.create_resource(schema)
    resolver = _NOTHING_ELSE.with_resource("", resource).resolver()
    for part in _parts(schema):
        if isinstance(part.get("$ref"), str):
            resolver.lookup(part["$ref"])


def compiled(schema: Mapping[str, Any]) -> Any:
    """The validator of a schema that `check_schema` accepts."""
    kind = validator_for(schema, default=Draft7Validator)
    return kind(schema, format_checker=_FORMATS, registry=_NOTHING_ELSE)


def lookarounds(schema: Mapping[str, Any]) -> Iterator[str]:
    """The regular expressions in a schema that look ahead or behind."""
    for part in _parts(schema):
        pattern = part.get("pattern")
        if isinstance(pattern, str) and re.search(r"\(\?<?[=!]", pattern):
            yield pattern


def _parts(schema: object) -> Iterator[Mapping[str, Any]]:
    """Every object in a schema."""
    if isinstance(schema, Mapping):
        yield schema
        for value in schema.values():
            yield from _parts(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _parts(value)
