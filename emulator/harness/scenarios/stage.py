"""Where a scenario plays: an endpoint, its people, and what was answered in the step under way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from emulator.harness.client import Endpoint, SegmentClient, StackAdaptClient, timeline_of
from emulator.harness.scenarios.model import Person

Shown = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class ScenarioRun:
    """What happenings act on and expectations look at. `answers` and `deletions` are those of one step.

    `place` is where in the scenario the play has come to.
    """

    endpoint: Endpoint
    people: Mapping[str, Person]
    place: str = "given"
    answers: list[httpx.Response] = field(default_factory=list)
    deletions: list[Shown] = field(default_factory=list)

    @property
    def segment(self) -> SegmentClient:
        """Segment's side."""
        return SegmentClient(self.endpoint)

    @property
    def stackadapt(self) -> StackAdaptClient:
        """StackAdapt's side."""
        return StackAdaptClient(self.endpoint)

    def begin_step(self) -> None:
        """Forgets what was answered before."""
        self.answers.clear()
        self.deletions.clear()

    def name_of(self, email: str) -> str:
        """Who has an email: the person's name, or the email itself when it is nobody's."""
        known = (person.name for person in self.people.values() if _same(person.email, email))
        return next(known, email)

    def timelines(self) -> tuple[str, ...]:
        """What is known of everybody, for whoever wonders; nothing where there is no control API."""
        if not self.endpoint.controlled:
            return ()
        return tuple(
            str(timeline_of(self.endpoint, email=each.email, user_id=each.user_id)) for each in self.people.values()
        )


def _same(left: str | None, right: str) -> bool:
    return left is not None and left.strip().lower() == right.strip().lower()
