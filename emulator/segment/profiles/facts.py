"""What is known of a person at a moment: all that an audience condition may ask about."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

# Ages in milliseconds between which events count: the first included, the second not. None: events of any age.
Window = tuple[int, int] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Performed:
    """An event that somebody performed `at` a moment, in milliseconds.

    `properties` are those that a condition asks for, by their path. `id` is None until it is first saved.
    """

    event: str
    at: int
    properties: Mapping[str, Any] = field(default_factory=dict)
    id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileFacts:
    """Traits, audiences by key, and events by name of a person, as seen `now`, in milliseconds."""

    traits: Mapping[str, Any]
    now: int = 0
    audiences: Container[str] = frozenset()
    performed: Mapping[str, Sequence[Performed]] = field(default_factory=dict)

    def since(self, moment: int) -> ProfileFacts:
        """The same with those events alone that were performed at the moment or later."""
        later = {name: [done for done in events if done.at >= moment] for name, events in self.performed.items()}
        return replace(self, performed=later)
