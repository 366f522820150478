"""A scenario as values: what is given, what happens, what must be true then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emulator.harness.scenarios.actions import Action
    from emulator.harness.scenarios.expectations import Expectation

WORKS = "works"
REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody in a scenario. `traits` are what Segment is told besides the email."""

    name: str
    user_id: str
    email: str | None
    traits: Mapping[str, Any]

    def told(self, traits: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Everything that an identify call says of them, with `traits` over what is known."""
        return {**({} if self.email is None else {"email": self.email}), **self.traits, **(traits or {})}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Things that happen, and what must be true after them, each with its place: `steps[1].then.profiles`."""

    when: tuple[tuple[str, Action], ...]
    then: tuple[tuple[str, Expectation], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A place in the matrix of generations and API versions, and what is expected there: `WORKS` or `REFUSED`."""

    generation: str
    api_version: str
    expected: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One story. `workspace` is the JSON form of the workspace it plays in, `steps` what happens there.

    `shows` are ids of the fidelity ledger.
    """

    path: Path
    title: str
    about: str
    shows: tuple[str, ...]
    people: Mapping[str, Person] = field(default_factory=dict)
    workspace: Mapping[str, Any]
    steps: tuple[Step, ...]
    cell: Cell | None = None

    @property
    def group(self) -> str:
        """The folder that it lies in."""
        return self.path.parent.name

    @property
    def needs_emulator(self) -> bool:
        """Whether it takes more than GraphQL to play it."""
        return any(item.needs_emulator for item in self._items())

    @property
    def tokens(self) -> set[str]:
        """The names of the tokens that it needs besides the one that may write."""
        return {token for step in self.steps for _, item in step.when for token in item.tokens}

    def is_about(self, text: str) -> bool:
        """Whether title, path or a ledger id contains a text, in any letter case."""
        places = (self.title, self.path.as_posix(), *self.shows)
        return any(text.lower() in place.lower() for place in places)

    def _items(self) -> Iterator[Action | Expectation]:
        for step in self.steps:
            yield from (happening for _, happening in step.when)
            yield from (expectation for _, expectation in step.then)
