"""Checks of the email: in the field where this type of event has it, and one that StackAdapt accepts.

Source of the fields: "Using Engage data" and "External IDs" in Segment's documentation. Segment accepts events without
an email, so all findings are warnings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from emulator.harness.checks.document_kinds import Content
from emulator.harness.checks.finding import WARNING, Finding, check
from emulator.mapping import is_email
from emulator.schemas import Path, place
from emulator.stackadapt.rules.emails import INVALID_EMAIL, MISSING_EMAIL, read_email

_TRAITS: Path = ("traits", "email")
_CONTEXT: Path = ("context", "traits", "email")
_PROPERTIES: Path = ("properties", "email")
_ANYWHERE = (_TRAITS, _CONTEXT, _PROPERTIES, ("email",))
_PUNCTUATION = re.compile("[_-]")
_OTHER_NAMES = ("email", "emailaddress", "mail")

_NOT_AN_IDENTIFIER = (
    f"Segment does not use it as an identifier: the profile has no email, and StackAdapt rejects it ({MISSING_EMAIL})."
)
_NOT_SENT_THERE = (
    f"Engage never sends it there: a mapping that reads it finds nothing in real events ({MISSING_EMAIL})."
)


class _Usage(NamedTuple):
    """Where a type of event has its email, preferred place first, what an email elsewhere means, and if one must be."""

    event: str
    places: tuple[Path, ...]
    elsewhere: str
    required: bool


# As an enriched trait the email is in properties, where the published default mapping reads it.
_ENGAGE_TRACK = _Usage("audience track", (_CONTEXT, _PROPERTIES), _NOT_SENT_THERE, required=True)
# Segment reads identifiers in both places, whatever the type of the call; the traits of a track call set nothing.
_USAGES: Mapping[str, _Usage] = MappingProxyType(
    {
        "identify": _Usage("identify", (_TRAITS, _CONTEXT), _NOT_AN_IDENTIFIER, required=True),
        "track": _Usage("track", (_CONTEXT,), _NOT_AN_IDENTIFIER, required=False),
        "audience-identify": _Usage("audience identify", (_TRAITS,), _NOT_SENT_THERE, required=True),
        "audience-track": _ENGAGE_TRACK,
        "journey-step": _ENGAGE_TRACK,
    }
)


@check("E001", WARNING, "The event has no email.", *_USAGES)
def missing(content: Content) -> Iterator[Finding]:
    usage = _USAGES[content.kind.name]
    if usage.required and not _emails(content):
        right = usage.places[0]
        traits = _at(content.value, right[:-1])
        keys = traits if isinstance(traits, dict) else ()
        renames = [f" Rename {key!r} to 'email'." for key in keys if _PUNCTUATION.sub("", key.lower()) in _OTHER_NAMES]
        yield Finding(
            place=content.place(),
            message="Segment accepts this event, but it has no email.",
            why=f"StackAdapt shows no profile without an email and rejects this one later ({MISSING_EMAIL}).",
            fix=f"Put the email into {place(right)}.{renames[0] if renames else ''}",
        )


@check("E002", WARNING, "The email is in a field where it is not read.", *_USAGES)
def misplaced(content: Content) -> Iterator[Finding]:
    usage, found = _USAGES[content.kind.name], _emails(content)
    right = place(usage.places[0])
    for path in () if any(path in found for path in usage.places) else found:
        yield Finding(
            place=content.place(*path),
            message=f"The email is in the wrong field: {usage.event} events have it in {right}.",
            why=usage.elsewhere,
            fix=f"Move {place(path)} to {right}.",
        )


@check("E003", WARNING, "The email is invalid.", *_USAGES)
def invalid(content: Content) -> Iterator[Finding]:
    found = _emails(content)
    path = next((path for path in _USAGES[content.kind.name].places if path in found), None)
    value = found[path] if path else None
    if path is None or (isinstance(value, str) and is_email(value) and read_email(value)[1] is None):
        return
    yield Finding(
        place=content.place(*path),
        message="Segment accepts this event, but its email is invalid.",
        found=value if isinstance(value, str | int | float) else type(value).__name__,
        why=f"The destination or StackAdapt rejects the profile later ({INVALID_EMAIL}).",
        fix="Remove the space around the email."
        if isinstance(value, str) and is_email(value.strip())
        else "Send one plain address, local@domain.tld, neither hashed nor with a display name.",
    )


def _emails(content: Content) -> dict[Path, object]:
    return {path: value for path in _ANYWHERE if (value := _at(content.value, path)) not in (None, "")}


def _at(event: Any, path: Path) -> Any:
    for key in path:
        event = event.get(key) if isinstance(event, dict) else None
    return event
