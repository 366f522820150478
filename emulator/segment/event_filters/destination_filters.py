"""The filters of one destination instance, compiled: what they do with an event, action by action."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from emulator.segment.event_filters.actions import DROP, ORDER, SAMPLE, is_kept, remove_members
from emulator.segment.event_filters.functions import QueryError
from emulator.segment.event_filters.query import Query
from emulator.workspace import Filter, FilterAction

# A number between 0 and 1 that depends on these names only.
Chance: TypeAlias = Callable[..., float]


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterStep:
    """What one action of a filter did with an event.

    `place` is the filter's path in the workspace. `matched` is whether the event meets the condition, `error` why that
    cannot be said. `dropped` is whether the event goes no further, `removed` the paths of the members that it lost.
    """

    title: str
    place: str
    query: str
    action: str
    matched: bool = False
    dropped: bool = False
    removed: tuple[str, ...] = ()
    error: str | None = None

    @property
    def message(self) -> str:
        """What it did, as a clause."""
        named = f"the filter {self.title!r} ({self.place})"
        if self.error is not None:
            return f"{named} cannot be evaluated, which drops the event: {self.error}"
        if self.dropped:
            return f"{named} {'does not keep it in its sample' if self.action == SAMPLE else 'drops it'}"
        if self.removed:
            return f"{named} removes {', '.join(self.removed)}"
        return f"{named} {'changes nothing' if self.matched else 'does not match'}"


@dataclass(frozen=True, slots=True)
class _Action:
    filter: Filter
    place: str
    action: FilterAction
    query: Query | None
    error: str | None


class DestinationFilters:
    """The enabled filters of a destination instance; false when there are none.

    Sample, drop, drop properties, allow properties: in this order, whichever filter they belong to. A condition is
    tested against what the actions before it have left of the event.
    """

    def __init__(self, filters: Sequence[Filter], place: str) -> None:
        actions = [
            _Action(each, f"{place}.filters[{index}]", action, *_compiled(each.condition))
            for index, each in enumerate(filters)
            if each.enabled
            for action in each.actions
        ]
        self._actions = sorted(actions, key=lambda each: ORDER.index(each.action.type))

    def __bool__(self) -> bool:
        return bool(self._actions)

    def steps(self, event: dict[str, Any], chance: Chance) -> Iterator[FilterStep]:
        """Applies the actions to an event, in place, one after the other; the last step may drop it."""
        for each in self._actions:
            step = _step(each, event, chance)
            yield step
            if step.dropped:
                return


def mistake_in(query: str) -> str | None:
    """What is wrong with a query, as a clause; None for a correct one."""
    return _compiled(query)[1]


def _compiled(query: str) -> tuple[Query | None, str | None]:
    try:
        return Query(query), None
    except QueryError as error:
        return None, f"the query is no FQL: {error}"


def _step(each: _Action, event: dict[str, Any], chance: Chance) -> FilterStep:
    step = FilterStep(title=each.filter.title, place=each.place, query=each.filter.condition, action=each.action.type)
    try:
        matched, error = each.query is not None and each.query.matches(event), each.error
    except QueryError as failure:
        matched, error = False, str(failure)
    if error is not None:
        return replace(step, dropped=True, error=error)
    if not matched:
        return step
    if each.action.type == SAMPLE:
        kept = is_kept(each.action, event, chance("filter", each.place, event.get("messageId")))
        return replace(step, matched=True, dropped=not kept)
    if each.action.type == DROP:
        return replace(step, matched=True, dropped=True)
    return replace(step, matched=True, removed=tuple(remove_members(each.action, event)))
