"""Validates documents against the JSON Schemas under `contracts/` and explains what does not fit.

A schema is named by its file, `segment/batch.schema.json`, or by a part of one, such as
`segment/batch.schema.json#/$defs/page` for a page call.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from types import MappingProxyType
from typing import Any, TypeAlias

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from emulator.artefacts import contract_json, contracts_dir
from emulator.errors import UserMistake, nearest

Path: TypeAlias = tuple[str | int, ...]

# Their values are never printed.
# Of objects and arrays in what users write: far more than any of the formats needs.
NESTING_LIMIT = 64
_SECRETS = frozenset({"apiKey", "token", "writeKey"})
# What has secrets: one may be in the place of the object that should have it.
_SECRET_HOLDERS = frozenset({"tokens", "sources", "settings"})
_HINTS = MappingProxyType(
    {
        "age": "Write a duration, such as 90s, 15m, 4h, 2d or 3h59m.",
        "latency": "Write instant, realistic or 4h.",
    }
)
# YAML reads these as numbers unless they are quoted.
_QUOTED = MappingProxyType(
    {
        "id": "Write ids in quotes.",
        "blockedValues": "Write the value in quotes.",
        "generation": "Write the whole version in quotes: '3.517.0'.",
    }
)
# Words for a boolean in other versions of YAML, or in quotes; here they are text.
_BOOLEANS = MappingProxyType(
    {
        **dict.fromkeys(("yes", "on", "y", "true"), "true"),
        **dict.fromkeys(("no", "off", "n", "false"), "false"),
    }
)
# Operators written as signs, and the names that they have here.
_SIGNS = MappingProxyType(
    {
        **dict.fromkeys(("=", "==", "is"), "equals"),
        **dict.fromkeys(("!=", "<>", "≠", "is not"), "not_equals"),
        **dict.fromkeys((">=", "≥"), "at_least"),
        **dict.fromkeys(("<=", "≤"), "at_most"),
        ">": "greater_than",
        "<": "less_than",
    }
)
_MESSAGES = MappingProxyType(
    {
        "anyOf": "matches none of the allowed forms",
        "oneOf": "matches none of the allowed forms",
        "pattern": "this string has the wrong format",
        "minLength": "this string is too short",
        "maxLength": "this string is too long",
        "minItems": "this array is too short",
        "maxItems": "this array is too long",
        "uniqueItems": "this array has duplicate items",
        "minProperties": "this object has too few keys",
        "maxProperties": "this object has too many keys",
        "minimum": "this number is too small",
        "maximum": "this number is too large",
    }
)
_TYPES = MappingProxyType(
    {
        "object": "an object",
        "array": "an array",
        "string": "a string",
        "boolean": "true or false",
        "number": "a number",
        "integer": "an integer",
        "null": "null",
    }
)
_LIMITS = MappingProxyType(
    {
        "pattern": "a string that matches {}",
        "minLength": "{} or more characters",
        "maxLength": "up to {} characters",
        **dict.fromkeys(("minItems", "minProperties", "minimum"), "{} or more"),
        **dict.fromkeys(("maxItems", "maxProperties", "maximum"), "{} or less"),
    }
)
# What a description explains better than the limit itself.
_DESCRIBED = frozenset({"pattern", "minProperties", "maxProperties"})
_NOT_ALLOWED = "not allowed here"
_LONGEST_VALUE = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One thing in a document that does not fit its schema.

    `path` leads to it from the top of the document; `key` is the key of it that is missing or unknown.
    """

    path: Path
    key: str | None = None
    message: str
    found: object = None
    allowed: str | None = None
    hint: str | None = None

    @property
    def place(self) -> str:
        """The path as a string."""
        return place(self.path)

    def as_error(self, kind: type[UserMistake], where: str) -> UserMistake:
        """An error of class `kind` that names the place in the document at `where`."""
        return kind(
            self.message, where=f"{where}: {self.place}", found=self.found, allowed=self.allowed, hint=self.hint
        )


def place(path: Iterable[str | int]) -> str:
    """A path as a string: `destinations[0].batch.age`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text or "(top level)"


def is_deeper_than(limit: int, value: object) -> bool:
    """Whether objects and arrays are nested more than `limit` levels deep."""
    # Level by level: a recursive check would hit Python's recursion limit itself.
    nested = (dict, list)
    level: list[Any] = [value] if isinstance(value, nested) else []
    for _ in range(limit):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, nested)
        ]
        if not level:
            return False
    return True


def in_words(value: object) -> str:
    """The type of a JSON value for an error message: `an array`, `null`, `true`."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    kinds = {dict: "object", list: "array", str: "string", int: "integer", float: "number"}
    return _TYPES[kinds[type(value)]]


def mistakes(document: object, schema: str) -> list[Mistake]:
    """Everything in a document that does not fit a schema, sorted by place."""
    found = dict.fromkeys(
        mistake
        for error in _validator(schema).iter_errors(document)
        for mistake in _explained(best_match([error]) or error)
    )
    return sorted(found, key=lambda mistake: [str(part) for part in mistake.path])


def first_mistake(document: object, schema: str) -> Mistake | None:
    """The most relevant mistake in a document, None when it fits."""
    return first_mistake_of(_validator(schema), document)


def first_mistake_of(validator: Any, document: object) -> Mistake | None:
    """`first_mistake` with a `jsonschema` validator of its own."""
    error = best_match(validator.iter_errors(document))
    return None if error is None else next(_explained(error))


@cache
def _validator(schema: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": schema}, registry=registry())


@cache
def registry() -> Registry[Any]:
    """The schemas by their names."""
    root = contracts_dir()
    names = [path.relative_to(root).as_posix() for path in root.rglob("*.schema.json")]
    return Registry[Any]().with_resources((name, DRAFT202012.create_resource(contract_json(name))) for name in names)


def _explained(error: Any) -> Iterator[Mistake]:
    # The stubs leave schemas and keywords untyped; the keyword's name decides their shape below.
    path, found, expected = tuple(error.absolute_path), error.instance, error.validator_value
    known = list(_members(error).get("properties", ()))
    if error.validator == "additionalProperties":
        for key in (key for key in found if key not in known):
            yield Mistake(
                path=path,
                key=str(key),
                message=f"unknown key {str(key)!r}",
                found=str(key),
                allowed=", ".join(known) or "none",
                hint=nearest(str(key), known),
            )
    elif error.validator == "required":
        for key in (key for key in expected if key not in found):
            hint = _typo([key], found, known)
            message = f"the key {key!r} is missing"
            yield Mistake(
                path=path, key=key, message=message, found=_shown(found), allowed=_choices(error, key), hint=hint
            )
    else:
        yield _about_value(error, path)


def _may_be_secret(path: Path) -> bool:
    """Whether what is there may be a secret, or should be an object that has one."""
    holder = path[:-1] if path and isinstance(path[-1], int) else path
    return not _SECRETS.isdisjoint(path) or not _SECRET_HOLDERS.isdisjoint(holder[-1:])


def _about_value(error: Any, path: Path) -> Mistake:
    found, expected = error.instance, error.validator_value
    description = _members(error).get("description")
    shown = None if _may_be_secret(path) else _shown(found)
    if error.validator in ("enum", "const"):
        values = expected if error.validator == "enum" else [expected]
        known = [value if isinstance(value, str) else json.dumps(value) for value in values]
        return Mistake(
            path=path,
            message="invalid value",
            found=shown,
            allowed=", ".join(known),
            hint=_meant(str(found), known) or nearest(str(found), known),
        )
    if error.validator == "not":
        hint = _typo(list(expected.get("properties", ())), found, []) if isinstance(found, dict) else None
        return Mistake(path=path, message=description or _NOT_ALLOWED, found=shown, hint=hint)
    message, allowed = _MESSAGES.get(error.validator, _NOT_ALLOWED), None
    if error.validator == "type":
        names = [expected] if isinstance(expected, str) else expected
        message = f"must be {' or '.join(_TYPES[name] for name in names)}"
        if "boolean" in names and (word := _BOOLEANS.get(str(found).lower())) and isinstance(found, str):
            return Mistake(path=path, message=message, found=shown, hint=f"Write {word} without quotes.")
    elif error.validator in _LIMITS and not (description and error.validator in _DESCRIBED):
        allowed = _LIMITS[error.validator].format(expected)
    else:
        allowed = description
    last = next((part for part in reversed(path) if isinstance(part, str)), "")
    hint = _QUOTED.get(last) if error.validator == "type" else _HINTS.get(last)
    return Mistake(path=path, message=message, found=shown, allowed=allowed, hint=hint or _HINTS.get(last))


def _choices(error: Any, key: str) -> str | None:
    """The values that a missing key may have, where they are listed."""
    choices = _members(error).get("properties", {}).get(key, {}).get("enum")
    return ", ".join(map(str, choices)) if choices else None


def _meant(found: str, known: Sequence[str]) -> str | None:
    """A sentence with the name of an operator that is written as a sign."""
    name = _SIGNS.get(found)
    return f"Write {name!r} for {found!r}." if name is not None and name in known else None


def _members(error: Any) -> dict[str, Any]:
    """The schema that was violated; it may be `false`, which has no members."""
    return error.schema if isinstance(error.schema, dict) else {}


def _typo(wanted: Iterable[str], found: Iterable[object], known: Iterable[object]) -> str | None:
    """A hint about an unknown key that resembles a missing one."""
    unknown = [str(key) for key in found if key not in known]
    for key in wanted:
        for typo in get_close_matches(key, unknown, n=1, cutoff=0.7):
            return f"{typo!r} looks like a typo: write {key!r}."
    return None


def _shown(value: object) -> object:
    if isinstance(value, dict):
        return _short(", ".join(map(str, value))) or "an empty object"
    if isinstance(value, list):
        return f"an array of {len(value)}"
    return _short(value) if isinstance(value, str) else value


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"
