"""A profile as plain data: identifiers, traits, audiences, and progress in journeys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from emulator.column_rules import LARGEST_ID
from emulator.ids import base62, number_in_base62
from emulator.segment.profiles.facts import Performed

USER_ID = "user_id"
EMAIL = "email"
ANONYMOUS_ID = "anonymous_id"

# Type and value.
Identifier = tuple[str, str]
# When a trait was set: a timestamp in milliseconds, and a turn that orders what was set at the same timestamp.
Setting = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a profile has come in a journey. Timestamps are in milliseconds.

    `step` is the position of the step joined last, -1 before the first. `context` has the properties of the events that
    led there, by event name. `epoch_id` identifies this run of the journey.
    """

    epoch_id: str
    entered_at: int
    joined_at: int
    step: int = -1
    exited: bool = False
    context: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What the store has of a profile, to save only what changed. `events` are the ids of those it performed."""

    audiences: frozenset[str] = frozenset()
    events: frozenset[int] = frozenset()
    journeys: Mapping[str, Progress] = field(default_factory=dict)
    due: int | None = None


@dataclass(slots=True, eq=False)
class Profile:
    """A profile while a transaction works on it. `key` is None until it is first saved.

    `identifiers` are in the order in which they were added, and numbered by it. `performed` (by event name), `journeys`
    (by journey id) and `due` (when time alone may next change something, in milliseconds) are loaded where needed.
    `position` orders the profiles of a session, oldest first; `merged_into` is the profile that absorbed this one.
    """

    key: int | None
    created_at: int
    identifiers: dict[Identifier, int] = field(default_factory=dict)
    traits: dict[str, Any] = field(default_factory=dict)
    updated: dict[str, Setting] = field(default_factory=dict)
    audiences: set[str] = field(default_factory=set)
    performed: dict[str, list[Performed]] = field(default_factory=dict)
    journeys: dict[str, Progress] = field(default_factory=dict)
    due: int | None = None
    changed: bool = False
    position: int = 0
    merged_into: Profile | None = None
    stored: Snapshot = field(default_factory=Snapshot)

    def values(self, kind: str) -> list[str]:
        """The values of one type of identifier, oldest first."""
        return [value for type_, value in self.identifiers if type_ == kind]

    def newest(self) -> dict[str, str]:
        """The value added last of each type of identifier."""
        return dict(iter(self.identifiers))

    def events(self) -> list[Performed]:
        """All events that it performed."""
        return [done for events in self.performed.values() for done in events]

    def snapshot(self) -> Snapshot:
        """Its present state."""
        return Snapshot(
            audiences=frozenset(self.audiences),
            events=frozenset(done.id for done in self.events() if done.id is not None),
            journeys=dict(self.journeys),
            due=self.due,
        )

    def set_traits(self, traits: Mapping[str, Any], at: Setting) -> None:
        """Sets traits. Null removes one, an empty string is kept ("Unify FAQs")."""
        for name, value in traits.items():
            if value is None:
                self.traits.pop(name, None)
            else:
                self.traits[name] = value
            self.updated[name] = at
        self.changed = True

    def absorb(self, other: Profile) -> None:
        """Takes over everything of another profile; of two values of a trait, the one set last wins."""
        self.identifiers = dict(sorted((self.identifiers | other.identifiers).items(), key=itemgetter(1)))
        self.audiences |= other.audiences
        for event, performed in other.performed.items():
            self.performed[event] = self.performed.get(event, []) + performed
        self.journeys = other.journeys | self.journeys
        for name, at in other.updated.items():
            if name not in self.updated or at > self.updated[name]:
                self.updated[name] = at
                self.traits.pop(name, None)
                if name in other.traits:
                    self.traits[name] = other.traits[name]
        self.changed = True
        other.merged_into = self


def profile_id(key: int) -> str:
    """The public id of a stored profile: `use_` and 27 characters."""
    return f"use_{base62(key, 27)}"


def key_of_id(public_id: str) -> int:
    """The key of the profile with a public id; 0, which none has, for any other text."""
    key = number_in_base62(public_id.removeprefix("use_"))
    return key if key <= LARGEST_ID and profile_id(key) == public_id else 0
