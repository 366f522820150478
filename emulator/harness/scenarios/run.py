"""A scenario while it runs, and its actions and expectations."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from emulator.harness.client import Endpoint, SegmentClient, StackAdaptClient, timeline_of
from emulator.harness.scenarios.model import Check, Person


@dataclass(slots=True, kw_only=True)
class ScenarioRun:
    """What actions change and expectations inspect. `place` is the current key of the scenario file.

    `responses` and `deletions` are those of the current step.
    """

    endpoint: Endpoint
    people: Mapping[str, Person]
    place: str = "given"
    responses: list[httpx.Response] = field(default_factory=list)
    deletions: list[dict[str, Any]] = field(default_factory=list)

    @property
    def segment(self) -> SegmentClient:
        """The Segment service."""
        return SegmentClient(self.endpoint)

    @property
    def stackadapt(self) -> StackAdaptClient:
        """The StackAdapt service."""
        return StackAdaptClient(self.endpoint)

    def begin_step(self) -> None:
        """Discards the results of the previous step."""
        self.responses.clear()
        self.deletions.clear()

    def name_of(self, email: str) -> str:
        """The name of the person with an email; the email itself when there is none."""
        wanted = email.strip().lower()
        same = (each.name for each in self.people.values() if each.email and each.email.strip().lower() == wanted)
        return next(same, email)

    def timelines(self) -> tuple[str, ...]:
        """The timelines of all people; empty where there is no control API."""
        if not self.endpoint.controlled:
            return ()
        return tuple(
            str(timeline_of(self.endpoint, email=each.email, user_id=each.user_id)) for each in self.people.values()
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """An item of `when`. `tokens` are the names of the tokens that it needs besides the default one.

    `run` raises EmulatorError when the action is refused, HTTPError when there is no response.
    """

    run: Callable[[ScenarioRun], object]
    needs_emulator: bool = True
    tokens: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """An item of `then`. `check` raises EmulatorError and HTTPError as an action does."""

    check: Callable[[ScenarioRun], Iterator[Check]]
    needs_emulator: bool = True
