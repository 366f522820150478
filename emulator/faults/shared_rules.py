"""The rules of a sandbox that several processes share, with their counters, in its store."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from emulator.clock import Clock
from emulator.faults.definition import Definition, parse_definition
from emulator.faults.matching import RequestSummary
from emulator.faults.rules import MOST_REMOVED, Faults, Rule, parsed_initial
from emulator.ids import Ids
from emulator.shared_documents import InDocument, SharedDocument


@dataclass(slots=True)
class _Chance:
    """The random numbers of a rule, which depend on the seed and its number only; so many were drawn already."""

    seed: int
    number: int
    drawn: int = 0
    _next: Callable[[], float] | None = field(default=None, repr=False, compare=False)

    def __call__(self) -> float:
        if self._next is None:
            self._next = Ids(self.seed).stream("fault", self.number).random
            for _ in range(self.drawn):
                self._next()
        self.drawn += 1
        return self._next()


class SharedFaults(InDocument, Faults):
    """As `Faults`. A request is counted in the store, and only if it may match a rule."""

    def __init__(
        self, ids: Ids, initial: Sequence[Mapping[str, Any]] = (), *, document: SharedDocument, clock: Clock
    ) -> None:
        self._document = document
        super().__init__(ids, initial, clock=clock)

    def _begin(self) -> None:
        """Goes on with the rules that are stored, if those of the workspace are the same."""
        self.replace([document for document, _ in self._initial], self._ids)

    def _matched(self, request: RequestSummary) -> list[Definition]:
        if not self._may_match(request):
            if self._document.is_known:
                return []
            with self._reading():
                pass
            if not self._may_match(request):
                return []
        return super()._matched(request)

    def _may_match(self, request: RequestSummary) -> bool:
        return any(rule.definition.applies_to(request) for rule in self._rules)

    def _chance(self, number: int) -> Callable[[], float]:
        return _Chance(self._ids.seed, number)

    def _stored(self) -> dict[str, Any]:
        return {
            "last": self._last,
            "initial": [dict(document) for document, _ in self._initial],
            "rules": [_stored_rule(rule) for rule in self._rules],
            "removed": [_stored_rule(rule) for rule in self._removed],
        }

    def _restore(self, stored: Mapping[str, Any] | None) -> None:
        found = stored or {"last": 0, "initial": (), "rules": (), "removed": ()}
        self._last = found["last"]
        self._initial = parsed_initial(found["initial"])
        self._rules = [*map(_rule, found["rules"])]
        self._removed = deque(map(_rule, found["removed"]), maxlen=MOST_REMOVED)


def _stored_rule(rule: Rule) -> dict[str, Any]:
    chance: Any = rule.chance
    return {
        "id": rule.id,
        "document": dict(rule.document),
        "initial": rule.initial,
        "remaining": rule.remaining,
        "until": None if rule.until is None else rule.until.isoformat(),
        "matched": rule.matched,
        "seed": chance.seed,
        "drawn": chance.drawn,
    }


def _rule(stored: Mapping[str, Any]) -> Rule:
    until = stored["until"]
    return Rule(
        id=stored["id"],
        definition=parse_definition(stored["document"]),
        document=stored["document"],
        initial=stored["initial"],
        remaining=stored["remaining"],
        until=None if until is None else datetime.fromisoformat(until),
        matched=stored["matched"],
        chance=_Chance(stored["seed"], stored["id"], stored["drawn"]),
    )
