"""One message of each kind that connected audiences and journey steps send, made by Engage itself.

They are about a person who has everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from emulator.harness.subscription_context import SubscriptionContext
from emulator.ids import Ids
from emulator.segment.engage.audience_events import AudienceEvent, audience_events
from emulator.segment.engage.journey_events import step_events
from emulator.segment.engage.routes import audience_routes, step_routes
from emulator.segment.profiles.profile import EMAIL, USER_ID, Profile, Progress

_MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
_PASSAGE = Progress(epoch_id="sample", entered_at=0, joined_at=0)


def sample_messages(subject: SubscriptionContext, *, entered: bool = True) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Type and payload of each message that the trigger lets through, for everything that is connected: of entering it,
    or of leaving.
    """
    for message in (*_of_audiences(subject, entered), *_of_steps(subject, entered)):
        if subject.trigger.matches(message.payload):
            yield message.payload["type"], message.payload


def _of_audiences(subject: SubscriptionContext, entered: bool) -> Iterator[AudienceEvent]:
    for route in audience_routes(subject.workspace, {subject.destination.name: subject.definition.name}):
        yield from audience_events(route, _person(route.connection.traits), entered=entered, at=_MOMENT, ids=Ids(0))


def _of_steps(subject: SubscriptionContext, entered: bool) -> Iterator[AudienceEvent]:
    for route in step_routes(subject.workspace, {subject.destination.name: subject.definition.name}):
        person = _person(route.connection.traits)
        yield from step_events(route, person, _PASSAGE, entered=entered, at=_MOMENT, ids=Ids(0))


def _person(traits: Iterable[str]) -> Profile:
    return Profile(
        key=None,
        created_at=0,
        identifiers={(USER_ID, "u1"): 1, (EMAIL, "person@example.com"): 2},
        traits=dict.fromkeys(traits, "2000-01-01"),
    )
