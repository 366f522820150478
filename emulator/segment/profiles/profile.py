"""A profile as a value: identifiers, traits, audiences, and progress in journeys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from emulator.ids import base62
from emulator.segment.profiles.facts import Performed

USER_ID = "user_id"
EMAIL = "email"
ANONYMOUS_ID = "anonymous_id"

# Identifiers in order of priority, highest first.
Identifier = tuple[str, str]
# When a trait was set: a moment in milliseconds, and a turn that tells apart what was set at the same moment.
Setting = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far somebody has come in a journey. Moments are in milliseconds.

    `step` is the position of the step joined last, -1 before the first. `context` holds the properties of the events
    that led on, by event name. `epoch_id` names this passage.
    """

    epoch_id: str
    entered_at: int
    joined_at: int
    step: int = -1
    exited: bool = False
    context: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Profile:
    """A person, while a transaction works on them. `key` is None until the profile is first saved.

    `identifiers` have a number each that tells in which order they were added. `performed` (by event name), `journeys`
    (by journey id) and `due` (the next moment, in milliseconds, at which time alone may change something) are filled in
    where a space needs them.
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

    def values(self, kind: str) -> list[str]:
        """The values of one type of identifier, oldest first."""
        added = sorted((order, value) for (type_, value), order in self.identifiers.items() if type_ == kind)
        return [value for _, value in added]

    def set_traits(self, traits: Mapping[str, Any], at: Setting) -> None:
        """Takes new values over. Null removes a trait, an empty text is kept as such ("Unify FAQs")."""
        for name, value in traits.items():
            if value is None:
                self.traits.pop(name, None)
            else:
                self.traits[name] = value
            self.updated[name] = at
        self.changed = True

    def absorb(self, other: Profile) -> None:
        """Takes everything of another profile over; of two values of a trait the one set last stays."""
        self.identifiers |= other.identifiers
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


def profile_id(key: int) -> str:
    """The public id of a stored profile: `use_` and 27 characters."""
    return f"use_{base62(key, 27)}"
