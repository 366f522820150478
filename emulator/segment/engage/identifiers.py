"""The identifiers that a call promotes: Segment's default ones, custom ones, and values that are blocked.

"Identity Resolution Onboarding" and "External IDs" in Segment's documentation. `group_id` names an account, and
`context.externalIds` of the collection `accounts` do too: neither says who a user is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Any

from emulator.segment.profiles.profile import ANONYMOUS_ID, EMAIL, USER_ID, Identifier
from emulator.segment.tracking.calls import Call
from emulator.user_patterns import found
from emulator.workspace import Identifier as Configured
from emulator.workspace import Space

# Where a call has what the space does not always look for.
_PLACES = ("device", "externalIds", "integrations")
_EXTERNAL_ID = ("id", "type", "collection", "encoding")
_RANKS = {USER_ID: 0, EMAIL: 1}
_WORD = re.compile(r"_([a-z0-9])")

# The identifiers of a call, highest priority first.
Promote = Callable[[Call], list[Identifier]]


def promotion(space: Space) -> Promote:
    """What promotes the identifiers of a call in this space."""
    return _promoted if space.identifiers is None else _Table(space.identifiers).promoted


def email_in(traits: object) -> str | None:
    """The email among traits, which becomes an identifier."""
    value = _object(traits).get("email")
    return value if isinstance(value, str) else None


def blocked_in(call: Call, space: Space) -> Iterator[Identifier]:
    """The identifiers of a call whose values are blocked."""
    for configured in space.identifiers or ():
        for value in dict.fromkeys(_values(configured, call)):
            if _is_blocked(value, configured):
                yield configured.type, value


def _promoted(call: Call) -> list[Identifier]:
    """Segment's defaults: its identifiers, and every type in `context.externalIds`."""
    context = _object(call.message.get("context"))
    found = [(USER_ID, call.user_id)]
    if call.type == "identify":
        found.append((EMAIL, email_in(call.message.get("traits"))))
    found += ((EMAIL, email_in(context.get("traits"))), (ANONYMOUS_ID, call.anonymous_id))
    if context and not context.keys().isdisjoint(_PLACES):
        found = sorted(chain(found, _others(context)), key=_priority)
    return [(kind, value) for kind, value in found if value]


def _others(context: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    for kind, find in _DEFAULT.items():
        yield from ((kind, value) for value in find(context))
    yield from ((entry["type"], entry["id"]) for entry in _external_ids(context))


def _priority(identifier: tuple[str, str | None]) -> tuple[int, str]:
    """The user id and the email come first, all others by name."""
    return _RANKS.get(identifier[0], len(_RANKS)), identifier[0]


def _device(system: str, key: str, *, tracked: bool = False) -> Callable[[Mapping[str, Any]], Iterator[Any]]:
    """What finds a key of the device in a context, of one system; with `tracked`, only where tracking is enabled."""

    def find(context: Mapping[str, Any]) -> Iterator[Any]:
        device = _object(context.get("device"))
        if device.get("type") == system and (not tracked or device.get("adTrackingEnabled") is True):
            yield from _texts(device.get(key))

    return find


def _client_of_google(context: Mapping[str, Any]) -> Iterator[Any]:
    yield from _texts(_object(_object(context.get("integrations")).get("Google Analytics")).get("clientId"))


# Where the context has a default identifier.
_DEFAULT: Mapping[str, Callable[[Mapping[str, Any]], Iterator[Any]]] = {
    "android.id": _device("android", "id"),
    "android.idfa": _device("android", "advertisingId", tracked=True),
    "android.push_token": _device("android", "token"),
    "ga_client_id": _client_of_google,
    "ios.id": _device("ios", "id"),
    "ios.idfa": _device("ios", "advertisingId", tracked=True),
    "ios.push_token": _device("ios", "token"),
}


def _external_ids(context: Mapping[str, Any]) -> Iterator[Mapping[str, str]]:
    """The entries of `context.externalIds` about users. All four keys are required, and types are in lower case."""
    given = context.get("externalIds")
    for entry in given if isinstance(given, list) else ():
        if not isinstance(entry, dict) or not all(isinstance(entry.get(key), str) for key in _EXTERNAL_ID):
            continue
        about_user = entry["collection"] == "users" and entry["encoding"] == "none"
        if about_user and entry["id"] and entry["type"] and entry["type"] == entry["type"].lower():
            yield entry


class _Table:
    """The table of the Identity Resolution settings: exactly these identifiers, in this order."""

    def __init__(self, identifiers: tuple[Configured, ...]) -> None:
        self._identifiers = identifiers

    def promoted(self, call: Call) -> list[Identifier]:
        """The identifiers of a call that are in the table and whose values are not blocked."""
        return [
            (configured.type, value)
            for configured in self._identifiers
            for value in _values(configured, call)
            if not _is_blocked(value, configured)
        ]


def _values(configured: Configured, call: Call) -> Iterator[str]:
    """The values of one identifier in a call, where Segment looks for them."""
    kind, message = configured.type, call.message
    context = _object(message.get("context"))
    if kind == USER_ID:
        yield from _texts(call.user_id)
    elif kind == ANONYMOUS_ID:
        yield from _texts(call.anonymous_id)
    elif kind in _DEFAULT:
        yield from _DEFAULT[kind](context)
    else:
        holders = [message.get("traits")] if call.type == "identify" else []
        holders.append(context.get("traits"))
        if kind != EMAIL:
            holders.append(message.get("properties"))
        for key in ("email",) if kind == EMAIL else _spellings(configured.key):
            for holder in holders:
                yield from _texts(_object(holder).get(key))
    yield from (entry["id"] for entry in _external_ids(context) if entry["type"] == kind)


def _spellings(key: str | None) -> tuple[str, ...]:
    """A key as given and in camelCase."""
    return () if key is None else tuple(dict.fromkeys((key, _WORD.sub(lambda found: found[1].upper(), key))))


def _is_blocked(value: str, configured: Configured) -> bool:
    return value in configured.blocked_values or any(found(pattern, value) for pattern in configured.blocked_patterns)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str) and value:
        yield value


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
