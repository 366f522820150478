"""Audiences without historical data: only events that come in after the audience was added count.

"Engage Audiences" in Segment's documentation, Include Historical Event Data. An audience was added when the space first
works with it: no event can come in between.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sqlalchemy import Connection as Transaction
from sqlalchemy import delete, func, insert, select

from emulator.segment.conditions.condition import Condition, EventRequirement
from emulator.segment.profiles.facts import Performed
from emulator.segment.tables import AUDIENCE_STARTS, PERFORMED
from emulator.workspace import Audience


class AudienceStarts:
    """The last event before each audience without historical data was added, by key."""

    def __init__(self, audiences: Iterable[Audience]) -> None:
        self._last = {audience.key: 0 for audience in audiences if not audience.include_history}

    def load(self, transaction: Transaction) -> None:
        """Reads them from the store, and stores those of audiences that are new. Does nothing if there are none."""
        if not self._last:
            return
        stored = {row.audience_key: row.last_event for row in transaction.execute(select(AUDIENCE_STARTS))}
        if gone := sorted(stored.keys() - self._last.keys()):
            transaction.execute(delete(AUDIENCE_STARTS).where(AUDIENCE_STARTS.c.audience_key.in_(gone)))
        if new := sorted(self._last.keys() - stored.keys()):
            last = transaction.scalar(select(func.max(PERFORMED.c.id))) or 0
            transaction.execute(insert(AUDIENCE_STARTS), [{"audience_key": key, "last_event": last} for key in new])
            stored |= dict.fromkeys(new, last)
        self._last = {key: stored[key] for key in self._last}

    def limited(self, condition: Condition, audience: Audience) -> Condition:
        """The condition, of which only events after the start of the audience count."""
        if audience.include_history:
            return condition
        key, next_changes = audience.key, condition.next_changes
        return replace(
            condition,
            holds=lambda facts: condition.holds(facts.after(self._last[key])),
            explain=lambda facts, wanted: condition.explain(facts.after(self._last[key]), wanted),
            next_changes=next_changes and (lambda facts: next_changes(facts.after(self._last[key]))),
            events=tuple(self._limited_events(requirement, key) for requirement in condition.events),
        )

    def _limited_events(self, requirement: EventRequirement, key: str) -> EventRequirement:
        def accepts(done: Performed) -> bool:
            return done.came_after(self._last[key]) and requirement.accepts(done)

        return replace(requirement, accepts=accepts)
