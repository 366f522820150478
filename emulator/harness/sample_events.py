"""Events to try a mapping with: those that Engage would send here, and calls of an app."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any, Final

from emulator.harness.subscription_context import SAMPLE_TIME
from emulator.ids import Ids
from emulator.segment.delivery.subscriptions import definition_of
from emulator.segment.engage.audience_events import AudienceEvent, audience_events
from emulator.segment.engage.journey_events import step_events
from emulator.segment.engage.routes import audience_routes, step_routes
from emulator.segment.profiles.profile import EMAIL, USER_ID, Profile, Progress
from emulator.timestamps import iso_of_millis, to_millis
from emulator.workspace import Audience, Connection, Destination, Workspace

# A connection as the form of Engage proposes it, for a destination instance that is not connected yet.
_TRAITS: Final = ("first_name", "last_name")
_AUDIENCE: Final = Audience(
    id="aud_sample", key="sample_audience", name="Sample audience", condition={"trait": "email", "operator": "exists"}
)
_PERSON: Final[Mapping[str, Any]] = {
    "first_name": "Ada",
    "last_name": "Lovelace",
    "phone": "+14165550100",
    "street": "1 Example Street",
    "city": "Toronto",
    "state": "Ontario",
    "country": "Canada",
    "postal_code": "M5V 2T6",
    "timezone": "America/Toronto",
    "birthday": "1990-06-15",
}
_PROGRESS: Final = Progress(epoch_id="sample", entered_at=0, joined_at=0)


def connected(workspace: Workspace, destination: Destination) -> tuple[Workspace, Destination]:
    """A workspace and one of its destination instances, as they are.

    Without any connection, with one to the first audience, or to a sample where there is none.
    """
    if destination.connections or destination.step_connections:
        return workspace, destination
    audience = next(iter(workspace.audiences), _AUDIENCE)
    connection = Connection(audience_key=audience.key, traits={name: name for name in _TRAITS})
    other = replace(destination, connections=(connection,))
    destinations = tuple(other if each.name == destination.name else each for each in workspace.destinations)
    return replace(workspace, audiences=workspace.audiences or (audience,), destinations=destinations), other


def sample_events(workspace: Workspace, destination: Destination) -> list[dict[str, Any]]:
    """`{"name", "event"}`: what the first connected audience and journey step send, entering and leaving, and calls."""
    shown: list[dict[str, Any]] = []
    for entered in (True, False):
        for sent in _of_engage(*connected(workspace, destination), entered):
            what = str(sent.payload.get("event") or ("entering" if entered else "leaving"))
            shown.append({"name": f"{sent.payload['type']} of {sent.audience_key}: {what}", "event": sent.payload})
    for call in sample_calls():
        shown.append({"name": f"{call['type']} of an app", "event": call})
    return shown


def sample_calls() -> Iterator[dict[str, Any]]:
    """An identify and a track call of an app."""
    traits = {"email": "person@example.com", "first_name": "Ada"}
    shared = {"userId": "u1", "timestamp": iso_of_millis(to_millis(SAMPLE_TIME))}
    yield {"type": "identify", "messageId": "sample-identify", **shared, "traits": traits}
    track = {"type": "track", "messageId": "sample-track", **shared, "event": "Order Completed"}
    yield {**track, "properties": {"total": 42}, "context": {"traits": traits}}


def _of_engage(workspace: Workspace, destination: Destination, entered: bool) -> Iterator[AudienceEvent]:
    named = {destination.name: definition_of(destination).name}
    for audience in islice(audience_routes(workspace, named), 1):
        profile = _profile(audience.connection.traits)
        yield from audience_events(audience, profile, entered=entered, at=SAMPLE_TIME, ids=Ids(0))
    for step in islice(step_routes(workspace, named), 1):
        profile = _profile(step.connection.traits)
        yield from step_events(step, profile, _PROGRESS, entered=entered, at=SAMPLE_TIME, ids=Ids(1))


def _profile(traits: Mapping[str, str]) -> Profile:
    return Profile(
        key=None,
        created_at=0,
        identifiers={(USER_ID, "u1"): 1, (EMAIL, "person@example.com"): 2},
        traits={name: _PERSON.get(sent, _PERSON.get(name, "sample")) for name, sent in traits.items()},
    )
