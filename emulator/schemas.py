"""The JSON Schemas under `contracts/`, and what they say about a document in words that its author can act on.

A schema is named by its file, `segment/batch.schema.json`, or by a part of one: `segment/batch.schema.json#/$defs/page`
is what a page call must be.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
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

# Their values are never quoted.
_SECRETS = frozenset({"apiKey", "token", "writeKey"})
_HINTS = MappingProxyType(
    {
        "age": "Write 90s, 15m, 4h or 2d.",
        "latency": "Write instant, realistic or 4h.",
    }
)
# What YAML reads as a number unless it is quoted.
_QUOTED = MappingProxyType(
    {
        "id": "Write ids in quotes.",
        "generation": "Write the whole version in quotes: '3.517.0'.",
    }
)
_WORDS = MappingProxyType(
    {
        "anyOf": "this has none of the forms that are allowed here",
        "oneOf": "this has none of the forms that are allowed here",
        "pattern": "this text does not have the right form",
        "minLength": "this text is too short",
        "maxLength": "this text is too long",
        "minItems": "this list is too short",
        "maxItems": "this list is too long",
        "uniqueItems": "something stands twice in this list",
        "minProperties": "this object has too few members",
        "maxProperties": "this object has too many members",
        "minimum": "this number is too small",
        "maximum": "this number is too large",
    }
)
_TYPES = MappingProxyType(
    {
        "object": "an object",
        "array": "a list",
        "string": "a text",
        "boolean": "true or false",
        "number": "a number",
        "integer": "a whole number",
        "null": "null",
    }
)
_LIMITS = MappingProxyType(
    {
        "pattern": "a text that matches {}",
        **dict.fromkeys(("minLength", "minItems", "minProperties", "minimum"), "{} or more"),
        **dict.fromkeys(("maxLength", "maxItems", "maxProperties", "maximum"), "{} or less"),
    }
)
_NO_FIT = "this does not fit here"
_LONGEST_VALUE = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One thing in a document that does not fit its schema.

    `path` leads to it from the top of the document; `key` is the member of it that is missing or not known.
    """

    path: Path
    key: str | None = None
    message: str
    found: object = None
    allowed: str | None = None
    hint: str | None = None

    @property
    def place(self) -> str:
        """The path as text."""
        return place(self.path)

    def as_error(self, kind: type[UserMistake], where: str) -> UserMistake:
        """An error of this kind that names the place in the document at `where`."""
        return kind(
            self.message, where=f"{where}: {self.place}", found=self.found, allowed=self.allowed, hint=self.hint
        )


def place(path: Iterable[str | int]) -> str:
    """A path as text: `destinations[0].batch.age`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text or "(top level)"


def is_deeper_than(limit: int, value: object) -> bool:
    """Whether objects and lists are nested more than `limit` deep."""
    # Level by level: a recursion would itself fail on what it is to find.
    level: list[Any] = [value] if isinstance(value, dict | list) else []
    for _ in range(limit):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def in_words(value: object) -> str:
    """What kind of value it is, as people say it: `a list`, `nothing`."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    kinds = {dict: "object", list: "array", str: "string", int: "integer", float: "number"}
    return _TYPES[kinds[type(value)]]


def mistakes(document: object, schema: str) -> list[Mistake]:
    """Everything in a document that does not fit a schema, by place."""
    found = dict.fromkeys(
        mistake
        for error in _validator(schema).iter_errors(document)
        for mistake in _explained(best_match([error]) or error)
    )
    return sorted(found, key=lambda mistake: [str(part) for part in mistake.path])


def first_mistake(document: object, schema: str) -> Mistake | None:
    """The most telling mistake in a document, None when it fits."""
    error = best_match(_validator(schema).iter_errors(document))
    return None if error is None else next(_explained(error))


@cache
def _validator(schema: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": schema}, registry=_registry())


@cache
def _registry() -> Registry[Any]:
    root = contracts_dir()
    names = [path.relative_to(root).as_posix() for path in root.rglob("*.schema.json")]
    return Registry[Any]().with_resources((name, DRAFT202012.create_resource(contract_json(name))) for name in names)


def _explained(error: Any) -> Iterator[Mistake]:
    # The stubs cannot say which shape a schema or keyword has; the keyword's name decides it below.
    path, found, expected = tuple(error.absolute_path), error.instance, error.validator_value
    known = list(_members(error).get("properties", ()))
    if error.validator == "additionalProperties":
        for key in (key for key in found if key not in known):
            yield Mistake(
                path=path,
                key=str(key),
                message="this key is not known here",
                found=key,
                allowed=", ".join(known),
                hint=nearest(str(key), known),
            )
    elif error.validator == "required":
        for key in (key for key in expected if key not in found):
            hint = _slip([key], found, known)
            message = f"the key {key!r} is missing"
            yield Mistake(path=path, key=key, message=message, found=_shown(found), hint=hint)
    else:
        yield _about_value(error, path)


def _about_value(error: Any, path: Path) -> Mistake:
    found, expected, allowed = error.instance, error.validator_value, _members(error).get("description")
    shown = None if _SECRETS.intersection(path) else _shown(found)
    if error.validator in ("enum", "const"):
        values = expected if error.validator == "enum" else [expected]
        known = [value if isinstance(value, str) else json.dumps(value) for value in values]
        return Mistake(
            path=path,
            message="this value is not known here",
            found=shown,
            allowed=", ".join(known),
            hint=nearest(str(found), known),
        )
    if error.validator == "not":
        hint = _slip(list(expected.get("properties", ())), found, []) if isinstance(found, dict) else None
        return Mistake(path=path, message=allowed or _NO_FIT, found=shown, hint=hint)
    if error.validator == "type":
        names = [expected] if isinstance(expected, str) else expected
        message = f"this must be {' or '.join(_TYPES[name] for name in names)}"
    else:
        message = _WORDS.get(error.validator, _NO_FIT)
        allowed = allowed or _LIMITS.get(error.validator, "").format(expected) or None
    last = next((part for part in reversed(path) if isinstance(part, str)), "")
    hint = _QUOTED.get(last) if error.validator == "type" else _HINTS.get(last)
    return Mistake(path=path, message=message, found=shown, allowed=allowed, hint=hint or _HINTS.get(last))


def _members(error: Any) -> dict[str, Any]:
    """Of the schema that refused; `false` has none."""
    return error.schema if isinstance(error.schema, dict) else {}


def _slip(wanted: Iterable[str], found: Iterable[object], known: Iterable[object]) -> str | None:
    """A sentence about a key that is close to one that is missing"""
    strangers = [str(key) for key in found if key not in known]
    for key in wanted:
        for slip in get_close_matches(key, strangers, n=1, cutoff=0.7):
            return f"{slip!r} is close to it: write {key!r}."
    return None


def _shown(value: object) -> object:
    if isinstance(value, dict):
        return _short(", ".join(map(str, value))) or "an empty object"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return _short(value) if isinstance(value, str) else value


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"
