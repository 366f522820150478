"""A compiled condition: a test of the facts of a profile, and what must be known to evaluate it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from heapq import nlargest
from operator import attrgetter

from emulator.errors import WorkspaceError
from emulator.segment.conditions.clause import Clause, group, trait_clause
from emulator.segment.profiles.facts import Performed, ProfileFacts, Window


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRequirement:
    """Events that must be stored for a condition: those of this name that `accepts` lets pass, with these properties.

    A condition never tells more than `most` events in its window from `most`. The window slides from older to younger
    events, so the youngest of those in it are enough at any later time. `since` is set when events are also counted
    from a point within the window on.
    """

    event: str
    properties: frozenset[str]
    accepts: Callable[[Performed], bool]
    window: Window
    most: int
    since: bool = False

    def relevant(self, performed: Iterable[Performed], now: int) -> list[Performed]:
        """The events that may change the outcome now or later."""
        accepted = [done for done in performed if self.accepts(done)]
        if self.window is None:
            return nlargest(self.most, accepted, key=attrgetter("at"))
        nearer, further = self.window
        coming = [done for done in accepted if now < done.at + nearer]
        if not self.since:
            coming = _thinned(coming, self.most, further - nearer)
        counted = [done for done in accepted if done.at + nearer <= now < done.at + further]
        return coming + nlargest(self.most, counted, key=attrgetter("at"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """`holds` evaluates it; `explain(facts, wanted)` says why, for a condition that should have the outcome `wanted`:
    False below `not`. `next_changes` are the next times, in milliseconds, at which time alone may change the
    outcome; None when it never does. `audiences` are the keys of the audiences that it refers to.
    """

    holds: Callable[[ProfileFacts], bool]
    explain: Callable[[ProfileFacts, bool], Clause]
    next_changes: Callable[[ProfileFacts], Iterable[int]] | None = None
    events: tuple[EventRequirement, ...] = ()
    audiences: frozenset[str] = frozenset()


def _thinned(performed: Iterable[Performed], most: int, span: int) -> list[Performed]:
    """Without the events that no window of this span needs in order to hold `most`."""
    kept: list[Performed] = []
    for done in sorted(performed, key=attrgetter("at")):
        kept.append(done)
        # A window with the one in the middle also has the `most` before it or the `most` after it.
        if len(kept) > 2 * most and done.at - kept[-2 * most - 1].at <= span:
            del kept[-most - 1]
    return kept


def joined(parts: Iterable[Condition], *, every: bool) -> Condition:
    """A condition that holds when every part does, or when any does. It requires what they require."""
    parts = tuple(parts)
    combine = all if every else any
    timed = tuple(part.next_changes for part in parts if part.next_changes is not None)

    def next_changes(facts: ProfileFacts) -> Iterator[int]:
        for of_part in timed:
            yield from of_part(facts)

    def explain(facts: ProfileFacts, wanted: bool) -> Clause:
        return group((part.explain(facts, wanted) for part in parts), every=every == wanted)

    return Condition(
        holds=lambda facts: combine(part.holds(facts) for part in parts),
        explain=explain,
        next_changes=next_changes if timed else None,
        events=tuple(requirement for part in parts for requirement in part.events),
        audiences=frozenset[str]().union(*(part.audiences for part in parts)),
    )


def negated(part: Condition) -> Condition:
    """A condition that holds when the other does not."""
    return replace(
        part,
        holds=lambda facts: not part.holds(facts),
        explain=lambda facts, wanted: part.explain(facts, not wanted),
    )


def on_trait(
    trait: str,
    holds: Callable[[ProfileFacts], bool],
    needs: Callable[[ProfileFacts, bool], str],
    next_changes: Callable[[ProfileFacts], Iterable[int]] | None = None,
) -> Condition:
    """A condition on one trait. `needs(facts, wanted)` says what the trait must be for it to have that outcome."""

    def explain(facts: ProfileFacts, wanted: bool) -> Clause:
        return trait_clause(trait, facts.traits, needs=needs(facts, wanted), passed=holds(facts) == wanted)

    return Condition(holds=holds, explain=explain, next_changes=next_changes)


def check_value(operator: str, value: object, *, fits: bool, takes: str, where: str) -> None:
    """Raises WorkspaceError for a value that the operator does not take."""
    if not fits:
        raise WorkspaceError(f"invalid value for {operator!r}", where=f"{where}.value", found=value, allowed=takes)
