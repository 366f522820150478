"""The events that Engage emits when a profile enters or leaves an audience.

Shapes follow "Using Engage data" in Segment's documentation and events captured from the real service: an identify has
no `properties` and a track no `traits`; the audience's boolean, the enriched traits and the email stand in `traits` on
identify; on track the first two stand in `properties` and the email in `context.traits`. Routing goes by the
`integrations` object.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from emulator.clock import to_iso
from emulator.ids import Ids
from emulator.segment.profiles.profile import ANONYMOUS_ID, EMAIL, USER_ID, Profile
from emulator.timestamps import iso_nanoseconds
from emulator.workspace import ALL, FIRST, Audience, Connection, Space


@dataclass(frozen=True, slots=True, kw_only=True)
class AudienceEvent:
    """One event, made for one destination instance. `audience_key` is that of the audience, or of the journey step.

    `at` is the moment of the change that it tells of.
    """

    at: datetime
    message_id: str
    destination: str
    audience_key: str
    payload: Mapping[str, Any]


class Way(Protocol):
    """Where an event goes: a computation connected to a destination instance."""

    @property
    def key(self) -> str: ...
    @property
    def destination(self) -> str: ...
    @property
    def integration(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """An audience connected to a destination instance. `integration` is the name under which it is routed."""

    audience: Audience
    connection: Connection
    destination: str
    integration: str
    space: Space

    @property
    def key(self) -> str:
        """The computation key of the audience."""
        return self.audience.key

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

    Entering goes out with the email that the strategy chooses; leaving goes out once for every email, whatever the
    strategy, so that the person can be removed under each ("ID Sync").
    """
    traits = enriched(route.connection.traits, profile)
    for email in emails_sent(route.connection.email, profile, entered=entered):
        if route.connection.send_identify:
            yield emitted(route, profile, _identify(route, traits, email, entered=entered), at, ids)
        if route.connection.send_track:
            yield emitted(route, profile, _track(route, traits, email, entered=entered), at, ids)


def enriched(names: Mapping[str, str], profile: Profile) -> dict[str, Any]:
    """The traits that are sent along, as far as the profile has them, by their names there ("Trait Enrichment")."""
    return {sent: profile.traits[name] for name, sent in names.items() if name in profile.traits}


def emails_sent(strategy: str | None, profile: Profile, *, entered: bool) -> list[str | None]:
    """The emails under which a change is sent, one event each; None stands for an event without one."""
    known: list[str | None] = list(profile.values(EMAIL)) if strategy else []
    if not known:
        return [None]
    if strategy == ALL or not entered:
        return known
    return known[:1] if strategy == FIRST else known[-1:]


def _identify(route: Route, traits: Mapping[str, Any], email: str | None, *, entered: bool) -> dict[str, Any]:
    identifier = {} if email is None else {"email": email}
    return {
        "type": "identify",
        "traits": {**traits, **identifier, route.audience.key: entered},
        "context": library_and(route.personas),
    }


def _track(route: Route, traits: Mapping[str, Any], email: str | None, *, entered: bool) -> dict[str, Any]:
    identifier = {} if email is None else {"traits": {"email": email}}
    return {
        "type": "track",
        "event": route.connection.enter_event if entered else route.connection.exit_event,
        "properties": {**traits, "audience_key": route.audience.key, route.audience.key: entered},
        "context": {**library_and(route.personas), **identifier},
    }


def library_and(personas: Mapping[str, str]) -> dict[str, Any]:
    """The `context` of every event of Engage."""
    return {"library": {"name": "unknown", "version": "unknown"}, "personas": personas}


def emitted(route: Way, profile: Profile, content: Mapping[str, Any], at: datetime, ids: Ids) -> AudienceEvent:
    """The event with all that every event of Engage has around its content."""
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
        at=at, message_id=message_id, destination=route.destination, audience_key=route.key, payload=payload
    )


def _identity(profile: Profile) -> dict[str, str]:
    """`userId`; for a profile without one the newest `anonymousId`; nothing for a profile with an email alone."""
    for key, kind in (("userId", USER_ID), ("anonymousId", ANONYMOUS_ID)):
        if known := profile.values(kind):
            return {key: known[-1]}
    return {}
