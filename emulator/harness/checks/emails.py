"""Checks of the email: in the field where this type of event has it, and one that StackAdapt accepts.

Source of the fields: "Using Engage data" and "External IDs" in Segment's documentation. Segment accepts events without
an email, so all findings are warnings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from emulator.harness.checks.finding import WARNING, Finding
from emulator.harness.checks.kinds import Content
from emulator.harness.checks.registry import check
from emulator.mapping.schema.formats import is_email
from emulator.schemas import Path
from emulator.stackadapt.rules.emails import INVALID_EMAIL, MISSING_EMAIL, read_email

_TRAITS: Path = ("traits", "email")
_CONTEXT: Path = ("context", "traits", "email")
_PROPERTIES: Path = ("properties", "email")
_ANYWHERE = (_TRAITS, _CONTEXT, _PROPERTIES, ("email",))
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
        yield Finding(
            place=content.place(),
            message="Segment accepts this event, but it has no email.",
            why=f"StackAdapt shows no profile without an email and rejects this one later ({MISSING_EMAIL}).",
            fix=f"Put the email into {_dotted(right)}.{_other_name(_at(content.value, right[:-1]))}",
        )


@check("E002", WARNING, "The email is in a field where it is not read.", *_USAGES)
def misplaced(content: Content) -> Iterator[Finding]:
    usage, found = _USAGES[content.kind.name], _emails(content)
    if any(path in found for path in usage.places):
        return
    right = _dotted(usage.places[0])
    for path in found:
        yield Finding(
            place=content.place(*path),
            message=f"The email is in the wrong field: {usage.event} events have it in {right}.",
            why=usage.elsewhere,
            fix=f"Move {_dotted(path)} to {right}.",
        )


@check("E003", WARNING, "The email is invalid.", *_USAGES)
def invalid(content: Content) -> Iterator[Finding]:
    found = _emails(content)
    path = next((path for path in _USAGES[content.kind.name].places if path in found), None)
    if path is None:
        return
    value = found[path]
    if isinstance(value, str) and is_email(value) and read_email(value)[1] is None:
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


def _other_name(traits: object) -> str:
    for key in traits if isinstance(traits, dict) else ():
        if key.lower().replace("_", "").replace("-", "") in _OTHER_NAMES:
            return f" Rename {key!r} to 'email'."
    return ""


def _at(event: object, path: Path) -> object:
    for key in path:
        if not isinstance(event, dict):
            return None
        event = event.get(key)
    return event


def _dotted(path: Path) -> str:
    return ".".join(map(str, path))
