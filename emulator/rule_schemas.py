"""JSON Schemas that users write: the rules of tracking plans. Draft 7, as Segment's.

Nothing is fetched, and regular expressions have a time limit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from jsonschema import Draft7Validator
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.validators import extend
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT7

from emulator.errors import InputError
from emulator.schemas import place
from emulator.timestamps import parse_timestamp
from emulator.user_patterns import found

# A reference to another document is not followed: nothing is fetched.
_NOTHING_ELSE: Registry[Any] = Registry()
_DRAFT = "http://json-schema.org/draft-07/schema"
_FORMATS = deepcopy(Draft7Validator.FORMAT_CHECKER)


def _is_timestamp(value: object) -> bool:
    return not isinstance(value, str) or parse_timestamp(value) is not None


# `jsonschema` checks this format only with a further library.
_FORMATS.checks("date-time")(_is_timestamp)


def check_schema(schema: Mapping[str, Any], *, where: str) -> None:
    """Raises InputError for what is no JSON Schema, at its place in it; `where` is the place of the whole."""
    try:
        # The stubs do not know the format checker, without which any text passes for a regular expression.
        kind: Any = Draft7Validator
        kind.check_schema(schema, format_checker=_FORMATS)
        _check_draft(schema, where)
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


def _check_draft(schema: Mapping[str, Any], where: str) -> None:
    named = schema.get("$schema", _DRAFT)
    if str(named).rstrip("#") != _DRAFT:
        raise InputError(
            "the JSON Schema is of another draft",
            where=f"{where}.$schema",
            found=named,
            allowed=f"{_DRAFT}#",
            hint="Segment's tracking plans are of draft 7.",
        )


def _check_references(schema: Mapping[str, Any]) -> None:
    resource = DRAFT7.create_resource(schema)
    resolver = _NOTHING_ELSE.with_resource("", resource).resolver()
    for part in _parts(schema):
        if isinstance(part.get("$ref"), str):
            resolver.lookup(part["$ref"])


def compiled(schema: Mapping[str, Any]) -> Any:
    """The validator of a schema that `check_schema` accepts."""
    return _Validator(schema, format_checker=_FORMATS, registry=_NOTHING_ELSE)


def _pattern(validator: Any, pattern: str, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not found(pattern, instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _pattern_properties(
    validator: Any, patterns: Mapping[str, Any], instance: Any, _schema: Any
) -> Iterator[ValidationError]:
    for pattern, schema in patterns.items():
        for name, value in instance.items() if isinstance(instance, dict) else ():
            if found(pattern, name):
                yield from validator.descend(value, schema, path=name, schema_path=pattern)


def _additional_properties(validator: Any, allowed: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if not isinstance(instance, dict):
        return
    known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    extras = [name for name in instance if name not in known and not any(found(each, name) for each in patterns)]
    if isinstance(allowed, Mapping):
        for name in extras:
            yield from validator.descend(instance[name], allowed, path=name)
    elif not allowed and extras:
        yield ValidationError(f"Additional properties are not allowed: {', '.join(map(repr, extras))}")


# As the library's, with the time limit of users' regular expressions.
_Validator: Any = extend(  # type: ignore[no-untyped-call]  # stub without types
    Draft7Validator,
    {
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional_properties,
    },
)


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
