"""The events that a journey's steps send when somebody joins one, or leaves the journey.

Shapes follow "Event-Triggered Journeys Steps" in Segment's documentation and the samples in Segment's own test code: a
track of class `journey_step` whose id is its key, named after the step, with the events that led there in
`journey_context`. There are two kinds: *Journey Step All Events* carries the step's boolean and the journey's name and
tells of leaving too; *Journeys Step Entered* carries neither and tells of joining alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from emulator.ids import Ids, base62
from emulator.segment.engage.audience_events import AudienceEvent, emails_sent, emitted, enriched, library_and
from emulator.segment.profiles.profile import Profile, Progress
from emulator.workspace import ALL, Journey, Space, Step, StepConnection

_EMITTER_LENGTH = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRoute:
    """A journey step connected to a destination instance. `integration` is the name under which it is routed."""

    journey: Journey
    step: Step
    connection: StepConnection
    destination: str
    integration: str
    space: Space

    @property
    def key(self) -> str:
        """The computation key of the step."""
        return self.step.key

    @property
    def personas(self) -> dict[str, str]:
        """`context.personas`: which step speaks, and which of its connections."""
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
    """What joining a step, or leaving it, sends along a route."""
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
            "context": {**library_and(route.personas), **context},
        }
        yield emitted(route, profile, content, at, ids)


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
    """The same short id for the same names, also after a restart."""
    digest = hashlib.sha256("\0".join(names).encode()).digest()
    return base62(int.from_bytes(digest[:8], "big"), _EMITTER_LENGTH)
