"""A scenario while it runs, and the interfaces of its actions and expectations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

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


class Action(Protocol):
    """An item of `when`. `tokens` are the names of the tokens that it needs besides the default one."""

    @property
    def needs_emulator(self) -> bool: ...

    @property
    def tokens(self) -> frozenset[str]: ...

    def run(self, run: ScenarioRun) -> None:
        """Performs the action. Raises EmulatorError when it is refused, HTTPError when there is no response."""
        ...


class Expectation(Protocol):
    """An item of `then`."""

    @property
    def needs_emulator(self) -> bool: ...

    def check(self, run: ScenarioRun) -> Iterator[Check]:
        """Compares. Raises EmulatorError when a request is refused, HTTPError when there is no response."""
        ...


class EmulatorOnly:
    """Base of actions and expectations that need more than GraphQL, and no token."""

    __slots__ = ()
    needs_emulator: ClassVar[bool] = True
    tokens: ClassVar[frozenset[str]] = frozenset()
