"""One sample message of each kind that connected audiences and journey steps send, made by Engage itself."""

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

_AT = datetime(2026, 1, 1, tzinfo=UTC)
_PROGRESS = Progress(epoch_id="sample", entered_at=0, joined_at=0)


def sample_messages(context: SubscriptionContext, *, entered: bool = True) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Type and payload of each message of entering (or leaving) that passes the trigger."""
    for message in (*_of_audiences(context, entered), *_of_steps(context, entered)):
        if context.trigger.matches(message.payload):
            yield message.payload["type"], message.payload


def _of_audiences(context: SubscriptionContext, entered: bool) -> Iterator[AudienceEvent]:
    for route in audience_routes(context.workspace, {context.destination.name: context.definition.name}):
        yield from audience_events(route, _profile(route.connection.traits), entered=entered, at=_AT, ids=Ids(0))


def _of_steps(context: SubscriptionContext, entered: bool) -> Iterator[AudienceEvent]:
    for route in step_routes(context.workspace, {context.destination.name: context.definition.name}):
        profile = _profile(route.connection.traits)
        yield from step_events(route, profile, _PROGRESS, entered=entered, at=_AT, ids=Ids(0))


def _profile(traits: Iterable[str]) -> Profile:
    return Profile(
        key=None,
        created_at=0,
        identifiers={(USER_ID, "u1"): 1, (EMAIL, "person@example.com"): 2},
        traits=dict.fromkeys(traits, "2000-01-01"),
    )
