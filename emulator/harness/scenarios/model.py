"""The values that scenarios are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A user in a scenario. `traits` are the traits other than the email."""

    name: str
    user_id: str
    email: str | None
    traits: Document

    def all_traits(self, changes: Document | None = None) -> dict[str, Any]:
        """The traits of an identify call: email and traits, with `changes` applied."""
        return {**({} if self.email is None else {"email": self.email}), **self.traits, **(changes or {})}

    def as_user(self) -> dict[str, Any]:
        """The arguments of `SegmentClient.enter_audience`."""
        return {"email": self.email, "user_id": self.user_id, "traits": self.traits}


# Finds a person by name; raises InputError for an unknown name.
FindPerson = Callable[[str], Person]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A cell of the matrix of generations and API versions, and the expected result: `works` or `refused`."""

    generation: str
    api_version: str
    expected: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What a result belongs to: a scenario or a recorded exchange, in a file.

    It is listed under `group`; `shows` are ids of the fidelity ledger.
    """

    path: Path
    group: str
    title: str
    shows: tuple[str, ...] = ()
    cell: Cell | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """An expected and a found value, with the timelines of the scenario's people for a failed check.

    `place` is the key in the scenario that it belongs to: `steps[1].then.profiles`.
    """

    expected: str
    passed: bool
    found: str
    timelines: tuple[str, ...] = ()
    place: str | None = None
