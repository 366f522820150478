"""What audience conditions can refer to: traits, audiences and events of a profile at a point in time."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

# The ages, in milliseconds, at which events count: from the first up to, not including, the second. None: any age.
Window = tuple[int, int] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Performed:
    """An event that a profile performed; `at` is in milliseconds, `id` None until it is saved.

    `properties` are those that a condition refers to, by path.
    """

    event: str
    at: int
    properties: Mapping[str, Any] = field(default_factory=dict)
    id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileFacts:
    """Traits, audience keys, and events by name of a profile; `now` is in milliseconds."""

    traits: Mapping[str, Any]
    now: int = 0
    audiences: Container[str] = frozenset()
    performed: Mapping[str, Sequence[Performed]] = field(default_factory=dict)

    def since(self, at: int) -> ProfileFacts:
        """The same facts without the events performed before `at`."""
        later = {name: [done for done in events if done.at >= at] for name, events in self.performed.items()}
        return replace(self, performed=later)
