"""The email: at the place where this type of event has it, and one that StackAdapt takes.

Places: "Using Engage data" and "External IDs" in Segment's documentation. An event without an email is valid for
Segment all the same, so what is found here are warnings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from emulator.harness.checks.document_finding import WARNING, Finding
from emulator.mapping import is_email
from emulator.schemas import Path
from emulator.stackadapt.rules.emails import INVALID_EMAIL, MISSING_EMAIL, read_email

_TRAITS: Path = ("traits", "email")
_CONTEXT: Path = ("context", "traits", "email")
_PROPERTIES: Path = ("properties", "email")
_OTHER_NAMES = ("email", "emailaddress", "mail")
_ANYWHERE = (_TRAITS, _CONTEXT, _PROPERTIES, ("email",))


def _email(
    event: Mapping[str, Any], *, type_: str, places: tuple[Path, ...], elsewhere: str, needed: bool
) -> Iterator[Finding]:
    found = {path: value for path in _ANYWHERE if (value := _at(event, path)) not in (None, "")}
    right = next((path for path in places if path in found), None)
    if right is not None:
        yield from _address(right, found[right])
        return
    yield from (_misplaced(path, places[0], type_, elsewhere) for path in found)
    if needed and not found:
        yield Finding(
            severity=WARNING,
            path=(),
            message="valid for Segment, but there is no email in it.",
            why="StackAdapt shows no profile without an email: it refuses the person later.",
            fix=f"Put the email into {'.'.join(map(str, places[0]))}.{_other_name(_at(event, places[0][:-1]))}",
            reason=MISSING_EMAIL,
        )


def _address(path: Path, value: object) -> Iterator[Finding]:
    if isinstance(value, str) and is_email(value) and read_email(value)[1] is None:
        return
    yield Finding(
        severity=WARNING,
        path=path,
        message="valid for Segment, but this is no email address.",
        found=value if isinstance(value, str | int | float) else type(value).__name__,
        why="The destination or StackAdapt refuses the person later.",
        fix="Remove the space around it."
        if isinstance(value, str) and is_email(value.strip())
        else "Send one plain address, local@domain.tld, neither hashed nor with a display name.",
        reason=INVALID_EMAIL,
    )


def _misplaced(path: Path, right: Path, type_: str, why: str) -> Finding:
    wrong, place = (".".join(map(str, each)) for each in (path, right))
    return Finding(
        severity=WARNING,
        path=path,
        message=f"the email is at the wrong place: it belongs to {place} on {type_}.",
        why=why,
        fix=f"Move {wrong} to {place}.",
        reason=MISSING_EMAIL,
    )


def _other_name(traits: object) -> str:
    for key in traits if isinstance(traits, dict) else ():
        if key.lower().replace("_", "").replace("-", "") in _OTHER_NAMES:
            return f" It stands under {key!r}; the name is 'email'."
    return ""


def _at(event: object, path: Path) -> object:
    for key in path:
        if not isinstance(event, dict):
            return None
        event = event.get(key)
    return event


_NO_IDENTIFIER = (
    "Segment makes no identifier of it here: the profile has no email, and StackAdapt refuses the person later."
)
_NEVER_THERE = "Engage never puts it here: a mapping that looks for it here finds none in real events."

# Both places make an identifier of a profile, whatever the type of the call; traits of a track set nothing.
of_identify = partial(
    _email, type_="an identify call", places=(_TRAITS, _CONTEXT), elsewhere=_NO_IDENTIFIER, needed=True
)
of_track = partial(_email, type_="a track call", places=(_CONTEXT,), elsewhere=_NO_IDENTIFIER, needed=False)
of_audience_identify = partial(
    _email, type_="an identify of an audience", places=(_TRAITS,), elsewhere=_NEVER_THERE, needed=True
)
# As an enriched trait the email stands in properties, where the published default mapping looks for it.
of_audience_track = partial(
    _email, type_="a track of an audience", places=(_CONTEXT, _PROPERTIES), elsewhere=_NEVER_THERE, needed=True
)
