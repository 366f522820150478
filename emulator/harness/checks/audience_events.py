"""Checks of an audience's events: which audience it is, and whether the profile entered or exited.

The destination reads the value under the audience's key: whatever JavaScript treats as true is an entry, everything
else, a missing value too, an exit.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from emulator.errors import nearest
from emulator.harness.checks.document_kinds import AUDIENCE_EVENTS, Content
from emulator.harness.checks.finding import ERROR, WARNING, Finding, check

_VALUES = "true for a profile that entered, false for one that exited"


@check("A001", ERROR, "An event of an audience has no value under the audience's key.", *AUDIENCE_EVENTS)
def key_missing(content: Content) -> Iterator[Finding]:
    container, key, members = _membership(content)
    if key is not None and key not in members:
        yield Finding(
            place=content.place(container),
            message=f"The audience's key {key!r} is missing.",
            found=", ".join(members),
            allowed=f"{key}: {_VALUES}",
            why="The destination treats a missing value as false: the profile leaves the audience.",
            fix=" ".join(filter(None, [f"Add {key!r} with true or false.", nearest(key, members)])),
        )


@check("A002", ERROR, "The value under the audience's key is not a boolean.", *AUDIENCE_EVENTS)
def not_a_boolean(content: Content) -> Iterator[Finding]:
    container, key, members = _membership(content)
    if key in members and not isinstance(members[key], bool):
        found = members[key]
        yield Finding(
            place=content.place(container, key),
            message="This value must be true or false.",
            found=found if isinstance(found, str | int | float) else type(found).__name__,
            allowed=_VALUES,
            why='The destination treats every non-empty string as true, even "false".',
            fix="Write true or false without quotes.",
        )


@check("A003", ERROR, "`audience_key` differs from the key in `context.personas`.", "audience-track")
def other_audience(content: Content) -> Iterator[Finding]:
    _, key, properties = _membership(content)
    if key is not None and properties.get("audience_key", key) != key:
        yield Finding(
            place=content.place("properties", "audience_key"),
            message="This key differs from context.personas.computation_key.",
            found=properties["audience_key"],
            allowed=key,
            fix="Use the audience's key in both places.",
        )


@check("A004", WARNING, "The event's name and its boolean contradict each other.", "audience-track")
def contradiction(content: Content) -> Iterator[Finding]:
    _, key, properties = _membership(content)
    name = content.value.get("event")
    opposite = {"Audience Entered": False, "Audience Exited": True}.get(name) if isinstance(name, str) else None
    if opposite is not None and key in properties and properties[key] is opposite:
        yield Finding(
            place=content.place("properties", key),
            message=f"This value contradicts the event name {name!r}.",
            found=opposite,
            why="The destination uses this value and ignores the name.",
            fix="Make the value and the name agree.",
        )


def _membership(content: Content) -> tuple[str, Any, dict[str, Any]]:
    """The field with the boolean, the audience's key, and the field's content; no key if one of them is missing."""
    container = "traits" if content.kind.name == "audience-identify" else "properties"
    key, members = content.personas().get("computation_key"), content.value.get(container)
    if isinstance(key, str) and isinstance(members, dict):
        return container, key, members
    return container, None, {}
