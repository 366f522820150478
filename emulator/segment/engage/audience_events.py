"""The events that Engage emits when a profile enters or leaves an audience.

Shapes follow "Using Engage data" in Segment's documentation and events captured from the real service. An identify has
no `properties`: the audience's boolean, the enriched traits and the email are in `traits`. A track has no `traits`: the
first two are in `properties`, the email in `context.traits`. The `integrations` object routes an event.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Protocol

from emulator.clock import to_iso
from emulator.ids import Ids
from emulator.segment.profiles.profile import ANONYMOUS_ID, EMAIL, USER_ID, Profile
from emulator.timestamps import iso_nanoseconds
from emulator.workspace import FIRST, LAST, Audience, Connection, Space


@dataclass(frozen=True, slots=True, kw_only=True)
class AudienceEvent:
    """An event for one destination instance. `at` is the time of the change; `audience_key` is the key of the audience
    or of the journey step.
    """

    at: datetime
    message_id: str
    destination: str
    audience_key: str
    payload: Mapping[str, Any]


class Route(Protocol):
    """A computation connected to a destination instance; `integration` is the name by which its events are routed."""

    @property
    def key(self) -> str: ...
    @property
    def destination(self) -> str: ...
    @property
    def integration(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AudienceRoute:
    """An audience connected to a destination instance."""

    audience: Audience
    connection: Connection
    destination: str
    integration: str
    space: Space

    @property
    def key(self) -> str:
        """The key of the audience."""
        return self.audience.key

    @property
    def personas(self) -> dict[str, str]:
        """`context.personas`: the computation and the space."""
        return {
            "computation_class": "audience",
            "computation_id": self.audience.id,
            "computation_key": self.audience.key,
            "namespace": self.space.id,
            "space_id": self.space.id,
        }


def audience_events(
    route: AudienceRoute, profile: Profile, *, entered: bool, at: datetime, ids: Ids
) -> Iterator[AudienceEvent]:
    """What a change of membership sends along a route: identify, then track, unless switched off.

    Entering sends every email with the default setup, and those that the strategy selects with the customized one.
    Leaving sends every email, so that the destination can remove the profile under each ("ID Sync").
    """
    traits = enriched(route.connection.traits, profile)
    for email in emails_sent(route.connection.email, profile, entered=entered):
        for content in contents(route, traits, email, entered=entered):
            yield make_event(route, profile, content, at, ids)


def contents(
    route: AudienceRoute, traits: Mapping[str, Any], email: str | None, *, entered: bool
) -> Iterator[dict[str, Any]]:
    """What the events of a change with one email have beside the fields that all events of Engage have."""
    if route.connection.send_identify:
        yield _identify(route, traits, email, entered=entered)
    if route.connection.send_track:
        yield _track(route, traits, email, entered=entered)


def enriched(names: Mapping[str, str], profile: Profile) -> dict[str, Any]:
    """The traits to send that the profile has, by their names at the destination ("Trait Enrichment")."""
    return {sent: profile.traits[name] for name, sent in names.items() if name in profile.traits}


def emails_sent(strategy: str | None, profile: Profile, *, entered: bool) -> list[str | None]:
    """The emails to send a change with, one event each; None for an event without an email."""
    emails: list[str | None] = list(profile.values(EMAIL)) if strategy else []
    if not emails:
        return [None]
    if not entered or strategy not in (FIRST, LAST):
        return emails
    return emails[:1] if strategy == FIRST else emails[-1:]


def _identify(route: AudienceRoute, traits: Mapping[str, Any], email: str | None, *, entered: bool) -> dict[str, Any]:
    identifier = {} if email is None else {"email": email}
    return {
        "type": "identify",
        "traits": {**traits, **identifier, route.audience.key: entered},
        "context": context_of(route.personas),
    }


def _track(route: AudienceRoute, traits: Mapping[str, Any], email: str | None, *, entered: bool) -> dict[str, Any]:
    identifier = {} if email is None else {"traits": {"email": email}}
    return {
        "type": "track",
        "event": route.connection.enter_event if entered else route.connection.exit_event,
        "properties": {**traits, "audience_key": route.audience.key, route.audience.key: entered},
        "context": {**context_of(route.personas), **identifier},
    }


def context_of(personas: Mapping[str, str]) -> dict[str, Any]:
    """The `context` that all events of Engage have."""
    return {"library": {"name": "unknown", "version": "unknown"}, "personas": personas}


def make_event(route: Route, profile: Profile, content: Mapping[str, Any], at: datetime, ids: Ids) -> AudienceEvent:
    """The event with this content and the fields that all events of Engage have."""
    message_id = f"personas_{ids.ksuid(at)}"
    payload = envelope(route, content, message_id, identity_of(profile), times_of(at))
    return AudienceEvent(
        at=at, message_id=message_id, destination=route.destination, audience_key=route.key, payload=payload
    )


def envelope(
    route: Route,
    content: Mapping[str, Any],
    message_id: str,
    identity: Mapping[str, Any],
    times: Mapping[str, Any],
) -> dict[str, Any]:
    """The content of an event in the fields that all events of Engage have."""
    return {
        "messageId": message_id,
        **content,
        **identity,
        "integrations": {"All": False, route.integration: True},
        **times,
    }


@lru_cache(maxsize=16)  # all events of a call have the same time
def times_of(at: datetime) -> Mapping[str, str | None]:
    """The fields of an event that say when it happened."""
    timestamp = to_iso(at)
    times = {"originalTimestamp": iso_nanoseconds(at), "timestamp": timestamp, "receivedAt": timestamp}
    return {**times, "sentAt": None}


def identity_of(profile: Profile) -> dict[str, str]:
    """`userId`, or else the newest `anonymousId`; empty for a profile with only an email."""
    newest = profile.newest()
    for key, kind in (("userId", USER_ID), ("anonymousId", ANONYMOUS_ID)):
        if kind in newest:
            return {key: newest[kind]}
    return {}
