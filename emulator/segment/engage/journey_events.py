"""The events that the steps of a journey send when a profile joins one, or leaves the journey.

Shapes follow "Event-Triggered Journeys Steps" in Segment's documentation and samples in Segment's test code: a track
named after the step, of class `journey_step` with the step's key as its id, and the events that led there in
`journey_context`. *Journey Step All Events* has the step's boolean and the journey's name and is also sent on leaving;
*Journeys Step Entered* has neither and is sent on joining only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from emulator.ids import Ids, base62
from emulator.segment.engage.audience_events import AudienceEvent, context_of, emails_sent, enriched, make_event
from emulator.segment.profiles.profile import Profile, Progress
from emulator.workspace import ALL, Journey, Space, Step, StepConnection

_EMITTER_LENGTH = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRoute:
    """A journey step connected to a destination instance."""

    journey: Journey
    step: Step
    connection: StepConnection
    destination: str
    integration: str
    space: Space

    @property
    def key(self) -> str:
        """The key of the step."""
        return self.step.key

    @property
    def personas(self) -> dict[str, str]:
        """`context.personas`: the step and its connection."""
        return {
            "computation_class": "journey_step",
            "computation_id": self.key,
            "computation_key": self.key,
            "event_emitter_id": f"event_emitter_{_fingerprint(self.destination, self.key)}",
            "namespace": self.space.id,
            "space_id": self.space.id,
        }


def step_events(
    route: StepRoute, profile: Profile, progress: Progress, *, entered: bool, at: datetime, ids: Ids
) -> Iterator[AudienceEvent]:
    """What joining or leaving a step sends along a route."""
    connection = route.connection
    if not entered and connection.events != ALL:
        return
    for email in emails_sent(connection.email, profile, entered=entered):
        context = {} if email is None else {"traits": {"email": email}}
        content = {
            "type": "track",
            "event": connection.event or route.step.name,
            "properties": {
                **enriched(connection.traits, profile),
                **_properties(route, progress, entered=entered),
            },
            "context": {**context_of(route.personas), **context},
        }
        yield make_event(route, profile, content, at, ids)


def _properties(route: StepRoute, progress: Progress, *, entered: bool) -> Mapping[str, Any]:
    metadata = {"journey_id": route.journey.id, "epoch_id": progress.epoch_id}
    if route.connection.events != ALL:
        return {"journey_context": progress.context, "journey_metadata": metadata}
    return {
        "journey_context": progress.context,
        "journey_metadata": {**metadata, "journey_name": route.journey.name},
        route.key: entered,
    }


def _fingerprint(*names: str) -> str:
    """A short id that is the same after a restart."""
    digest = hashlib.sha256("\0".join(names).encode()).digest()
    return base62(int.from_bytes(digest[:8], "big"), _EMITTER_LENGTH)
