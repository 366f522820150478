"""The JSON Schemas under `contracts/`, and what they say about a document in words that its author can act on.

A schema is named by its file, `segment/batch.schema.json`, or by a part of one, `segment/batch.schema.json#/$defs/page`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, TypeAlias

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from emulator.artefacts import contract_json
from emulator.errors import nearest

Path: TypeAlias = tuple[str | int, ...]

# Their values are never quoted.
_SECRETS = frozenset({"apiKey", "token", "writeKey"})
_HINTS = MappingProxyType(
    {
        "id": "Write ids in quotes.",
        "age": "Write 90s, 15m, 4h or 2d.",
        "latency": "Write instant, realistic or 4h.",
    }
)
_LONGEST_VALUE = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One thing in a document that does not fit its schema. `path` leads to it from the top of the document."""

    path: Path
    message: str
    found: object = None
    allowed: str | None = None
    hint: str | None = None

    @property
    def place(self) -> str:
        """The path as text."""
        return place(self.path)


def place(path: Iterable[str | int]) -> str:
    """A path as text: `destinations[0].batch.age`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text or "(top level)"


def mistakes(document: object, schema: str) -> list[Mistake]:
    """Everything in a document that does not fit a schema, by place."""
    errors = (best_match([error]) for error in _validator(schema).iter_errors(document))
    found = dict.fromkeys(_explained(error) for error in errors if error is not None)
    return sorted(found, key=lambda mistake: [str(part) for part in mistake.path])


def first_mistake(document: object, schema: str) -> Mistake | None:
    """The most telling mistake in a document, None when it fits."""
    error = best_match(_validator(schema).iter_errors(document))
    return None if error is None else _explained(error)


@cache
def _validator(schema: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": schema}, registry=_registry())


@cache
def _registry() -> Registry[Any]:
    return Registry(retrieve=_contract)  # type: ignore[call-arg]


@cache
def _contract(name: str) -> Resource[Any]:
    return DRAFT202012.create_resource(contract_json(name))


def _explained(error: ValidationError) -> Mistake:
    ...
