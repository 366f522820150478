"""Events of an audience: which audience, and whether the person entered or left.

The destination makes enter or exit of the value under the audience's key: whatever JavaScript takes for true is enter,
all else, also no value at all, is exit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from emulator.errors import nearest
from emulator.harness.checks.document_finding import ERROR, WARNING, Finding
from emulator.schemas import Path

_PERSONAS = "The destination takes the audience's id, key and class from context.personas and refuses events without."
CAUSES: Mapping[Path, str] = MappingProxyType({("context",): _PERSONAS, ("context", "personas"): _PERSONAS})

_MOVES = MappingProxyType({"Audience Entered": True, "Audience Exited": False})


def membership_in_traits(event: Mapping[str, Any]) -> Iterator[Finding]:
    """The audience's boolean of an identify."""
    return _membership(event, "traits")


def membership_in_properties(event: Mapping[str, Any]) -> Iterator[Finding]:
    """The audience's boolean of a track, and that its event name and `audience_key` say the same."""
    yield from _membership(event, "properties")
    key, properties = _key(event), event.get("properties")
    if key is None or not isinstance(properties, dict):
        return
    if properties.get("audience_key", key) != key:
        yield Finding(
            severity=ERROR,
            path=("properties", "audience_key"),
            message="this names another audience than context.personas.computation_key.",
            found=properties["audience_key"],
            allowed=key,
            fix="Write the audience's key at both places.",
        )
    name = event.get("event")
    moved = _MOVES.get(name) if isinstance(name, str) else None
    if moved is not None and properties.get(key) is (not moved):
        yield Finding(
            severity=WARNING,
            path=("properties", key),
            message=f"this says the opposite of the event's name, {name}.",
            found=properties[key],
            why="The destination goes by this value, not by the name.",
            fix="Make both say the same.",
        )


def _membership(event: Mapping[str, Any], container: str) -> Iterator[Finding]:
    key, members = _key(event), event.get(container)
    if key is None or not isinstance(members, dict):
        return
    if key not in members:
        yield Finding(
            severity=ERROR,
            path=(container,),
            message=f"the audience's key {key!r} is missing.",
            found=", ".join(members),
            allowed=f"{key}: true for somebody who entered, false for somebody who left",
            why="The destination takes a missing value for false: the person leaves the audience.",
            fix=f"Add {key!r} with true or false. {nearest(key, members) or ''}".strip(),
        )
    elif not isinstance(members[key], bool):
        yield Finding(
            severity=ERROR,
            path=(container, key),
            message="this must be true or false.",
            found=members[key] if isinstance(members[key], str | int | float) else type(members[key]).__name__,
            allowed="true for somebody who entered, false for somebody who left",
            why='The destination takes every text but the empty one for true, also "false".',
            fix="Write true or false without quotes.",
        )


def _key(event: Mapping[str, Any]) -> str | None:
    context = event.get("context")
    personas = context.get("personas") if isinstance(context, dict) else None
    key = personas.get("computation_key") if isinstance(personas, dict) else None
    return key if isinstance(key, str) else None
