"""Where a scenario plays: an endpoint, its people, and what was answered in the step under way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from emulator.harness.faces import Endpoint, SegmentFace, StackAdaptFace, tell
from emulator.harness.scenarios.scenario import Person

Shown = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Stage:
    """What happenings act on and expectations look at. `answers` and `deletions` are those of one step.

    `place` is where in the scenario the play has come to.
    """

    endpoint: Endpoint
    people: Mapping[str, Person]
    place: str = "given"
    answers: list[httpx.Response] = field(default_factory=list)
    deletions: list[Shown] = field(default_factory=list)

    @property
    def segment(self) -> SegmentFace:
        """Segment's side."""
        return SegmentFace(self.endpoint)

    @property
    def stackadapt(self) -> StackAdaptFace:
        """StackAdapt's side."""
        return StackAdaptFace(self.endpoint)

    def begin_step(self) -> None:
        """Forgets what was answered before."""
        self.answers.clear()
        self.deletions.clear()

    def name_of(self, email: str) -> str:
        """Who has an e-mail: the person's name, or the e-mail itself when it is nobody's."""
        known = (person.name for person in self.people.values() if _same(person.email, email))
        return next(known, email)

    def stories(self) -> tuple[str, ...]:
        """What is known of everybody, for whoever wonders; nothing where there is no control API."""
        if not self.endpoint.controlled:
            return ()
        return tuple(str(tell(self.endpoint, email=each.email, user_id=each.user_id)) for each in self.people.values())


def _same(left: str | None, right: str) -> bool:
    return left is not None and left.strip().lower() == right.strip().lower()
