"""The keys of a JSON Schema, for the documentation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from emulator.schemas import registry


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key that documents of a schema may have, for the documentation. In `path`, `[]` is any item of an array."""

    path: str
    type: str
    required: bool
    default: object = None
    description: str | None = None


def keys_of(schema: str) -> Iterator[Key]:
    """Every key that a schema declares, in its order, with those of nested objects and array items."""
    resolved = registry().resolver().lookup(schema)
    yield from _keys(resolved.contents, resolved.resolver, "")


def _keys(schema: Any, resolver: Any, prefix: str) -> Iterator[Key]:
    for name, declared in schema.get("properties", {}).items():
        member, inner = _resolved(declared, resolver)
        path = f"{prefix}{name}"
        yield Key(
            path=path,
            type=_type_of(member, inner),
            required=name in schema.get("required", ()),
            default=member.get("default"),
            description=member.get("description"),
        )
        if "items" in member:
            member, inner = _resolved(member["items"], inner)
            path += "[]"
        yield from _keys(member, inner, f"{path}.")


def _resolved(schema: Any, resolver: Any) -> tuple[dict[str, Any], Any]:
    """A schema with its `$ref` replaced by what that refers to; its own keywords win."""
    if "$ref" not in schema:
        return schema, resolver
    found = resolver.lookup(schema["$ref"])
    return {**found.contents, **{key: value for key, value in schema.items() if key != "$ref"}}, found.resolver


def _type_of(schema: Any, resolver: Any) -> str:
    if "enum" in schema:
        return ", ".join(map(str, schema["enum"]))
    if "type" in schema:
        return " or ".join([schema["type"]] if isinstance(schema["type"], str) else schema["type"])
    return " or ".join(_type_of(*_resolved(form, resolver)) for form in schema.get("anyOf", ())) or "any"
