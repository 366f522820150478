"""A compiled condition: a test of what is known of a person, and what it needs to be kept up to date."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from heapq import nlargest
from operator import attrgetter

from emulator.errors import WorkspaceError
from emulator.segment.profiles.facts import Performed, ProfileFacts, Window


@dataclass(frozen=True, slots=True, kw_only=True)
class EventNeed:
    """Events that must be remembered for a condition: by name, with these properties (paths), if `accepts` says so.

    More than `most` of them in the window are as good as `most`. The window slides from older to younger events, so
    that the youngest of those it holds tell for all time to come what all would tell. `since` is set when they are
    also counted from some moment within the window on.
    """

    event: str
    properties: frozenset[str]
    accepts: Callable[[Performed], bool]
    window: Window
    most: int
    since: bool = False

    def of_use(self, performed: Iterable[Performed], now: int) -> list[Performed]:
        """Those that may still decide something, now or later."""
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
    """`holds` judges a person. `moments` are the next at which time alone may change its answer; None: it never does.

    `audiences` are the keys of those it asks for.
    """

    holds: Callable[[ProfileFacts], bool]
    moments: Callable[[ProfileFacts], Iterable[int]] | None = None
    events: tuple[EventNeed, ...] = ()
    audiences: frozenset[str] = frozenset()


def _thinned(performed: Iterable[Performed], most: int, span: int) -> list[Performed]:
    """Without those that no window of this span needs to hold `most`, if it holds as many of all."""
    kept: list[Performed] = []
    for done in sorted(performed, key=attrgetter("at")):
        kept.append(done)
        # A window that holds the one between holds the `most` before it, or else the `most` after it.
        if len(kept) > 2 * most and done.at - kept[-2 * most - 1].at <= span:
            del kept[-most - 1]
    return kept


def joined(parts: Iterable[Condition], holds: Callable[[ProfileFacts], bool]) -> Condition:
    """A condition made of others: it needs what they need."""
    parts = tuple(parts)
    timed = tuple(part.moments for part in parts if part.moments is not None)

    def moments(known: ProfileFacts) -> Iterator[int]:
        for of_part in timed:
            yield from of_part(known)

    return Condition(
        holds=holds,
        moments=moments if timed else None,
        events=tuple(need for part in parts for need in part.events),
        audiences=frozenset[str]().union(*(part.audiences for part in parts)),
    )


def check_value(operator: str, value: object, *, fits: bool, takes: str, where: str) -> None:
    """Raises WorkspaceError for a value that the operator cannot use."""
    if not fits:
        raise WorkspaceError(f"{operator!r} cannot use this value", where=f"{where}.value", found=value, allowed=takes)
