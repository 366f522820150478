"""The events that Engage emits when a profile enters or leaves an audience.

Shapes follow "Using Engage data" in Segment's documentation and events captured from the real service: an identify has
no `properties` and a track no `traits`; the audience's boolean, the enriched traits and the e-mail stand in `traits` on
identify; on track the first two stand in `properties` and the e-mail in `context.traits`. Routing goes by the
`integrations` object.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from emulator.clock import to_iso
from emulator.ids import Ids
from emulator.segment.moments import iso_nanoseconds
from emulator.segment.profiles import ANONYMOUS_ID, EMAIL, USER_ID, Profile
from emulator.workspace import Audience, Connection, Space


@dataclass(frozen=True, slots=True, kw_only=True)
class AudienceEvent:
    """One event, made for one destination instance."""

    message_id: str
    destination: str
    audience_key: str
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """An audience connected to a destination instance. `integration` is the name under which it is routed."""

    audience: Audience
    connection: Connection
    destination: str
    integration: str
    space: Space

    @property
    def personas(self) -> dict[str, str]:
        """`context.personas`: which computation of which space speaks."""
        return {
            "computation_class": "audience",
            "computation_id": self.audience.id,
            "computation_key": self.audience.key,
            "namespace": self.space.id,
            "space_id": self.space.id,
        }


def audience_events(
    route: Route, profile: Profile, *, entered: bool, at: datetime, ids: Ids
) -> Iterator[AudienceEvent]:
    """What a change of membership sends along a route: identify, then track, as far as they are switched on.

    Entering goes out with the e-mail added last; leaving goes out once for every e-mail, so that the person can be
    removed under each ("ID Sync").
    """
    enriched = {name: profile.traits[name] for name in route.connection.traits if name in profile.traits}
    for email in _emails(route.connection, profile, entered=entered):
        if route.connection.send_identify:
            yield _emit(route, profile, _identify(route, enriched, email, entered=entered), at, ids)
        if route.connection.send_track:
            yield _emit(route, profile, _track(route, enriched, email, entered=entered), at, ids)


def _emails(connection: Connection, profile: Profile, *, entered: bool) -> list[str | None]:
    known: list[str | None] = list(profile.values(EMAIL)) if connection.email else []
    if not known:
        return [None]
    return known[-1:] if entered else known


def _identify(route: Route, enriched: Mapping[str, Any], email: str | None, *, entered: bool) -> dict[str, Any]:
    identifier = {} if email is None else {"email": email}
    return {
        "type": "identify",
        "traits": {**enriched, **identifier, route.audience.key: entered},
        "context": _context(route),
    }


def _track(route: Route, enriched: Mapping[str, Any], email: str | None, *, entered: bool) -> dict[str, Any]:
    identifier = {} if email is None else {"traits": {"email": email}}
    return {
        "type": "track",
        "event": route.connection.enter_event if entered else route.connection.exit_event,
        "properties": {**enriched, "audience_key": route.audience.key, route.audience.key: entered},
        "context": {**_context(route), **identifier},
    }


def _context(route: Route) -> dict[str, Any]:
    return {"library": {"name": "unknown", "version": "unknown"}, "personas": route.personas}


def _emit(route: Route, profile: Profile, content: Mapping[str, Any], at: datetime, ids: Ids) -> AudienceEvent:
    message_id = f"personas_{ids.ksuid(at)}"
    moment = to_iso(at)
    payload = {
        "messageId": message_id,
        **content,
        **_identity(profile),
        "integrations": {"All": False, route.integration: True},
        "originalTimestamp": iso_nanoseconds(at),
        "timestamp": moment,
        "receivedAt": moment,
        "sentAt": None,
    }
    return AudienceEvent(
        message_id=message_id, destination=route.destination, audience_key=route.audience.key, payload=payload
    )


def _identity(profile: Profile) -> dict[str, str]:
    """`userId`; for a profile without one the newest `anonymousId`; nothing for a profile with an e-mail alone."""
    for key, kind in (("userId", USER_ID), ("anonymousId", ANONYMOUS_ID)):
        if known := profile.values(kind):
            return {key: known[-1]}
    return {}
