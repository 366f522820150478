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

    Ids are in the order in which events came in.

    `properties` are those that a condition refers to, by path.
    """

    event: str
    at: int
    properties: Mapping[str, Any] = field(default_factory=dict)
    id: int | None = None

    def came_after(self, event_id: int) -> bool:
        """Whether it came in after the event with this id."""
        return self.id is None or self.id > event_id


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

    def after(self, event_id: int) -> ProfileFacts:
        """The same facts with only the events that came in after the one with this id."""
        later = {
            name: [done for done in events if done.came_after(event_id)] for name, events in self.performed.items()
        }
        return replace(self, performed=later)
