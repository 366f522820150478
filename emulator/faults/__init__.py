"""Things that go wrong when told: a fault is a small class in a file of its own, registered by name in `rule.py`.

`Faults` belongs to a sandbox; the door that answers requests asks it what strikes, and knows no fault by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from threading import Lock
from typing import Any

from emulator.errors import InputError, NotFound, WorkspaceError
from emulator.faults.effect import Effect, combined
from emulator.faults.matching import RequestSummary
from emulator.faults.rule import REGISTRY, Definition, parse_definition
from emulator.ids import Ids

__all__ = ["REGISTRY", "Definition", "FaultMatch", "Faults", "RequestSummary", "Rule"]


@dataclass(slots=True, kw_only=True)
class Rule:
    """A definition in force. `remaining` None means for ever; `chance` draws a number from 0 to 1."""

    id: int
    definition: Definition
    remaining: int | None
    chance: Callable[[], float]
    matched: int = 0

    def matches(self, asked: RequestSummary) -> bool:
        """Whether it hits this request; a hit is counted and uses up one of its times."""
        if self.remaining == 0 or not self.definition.fits(asked):
            return False
        if self.definition.probability < 1 and self.chance() >= self.definition.probability:
            return False
        self.matched += 1
        if self.remaining is not None:
            self.remaining -= 1
        return True

    def as_dict(self) -> dict[str, Any]:
        """The rule as the control API shows it."""
        return {"id": self.id, **self.definition.as_dict(), "remaining": self.remaining, "matched": self.matched}


@dataclass(frozen=True, slots=True)
class FaultMatch:
    """The faults that hit one request, by name, and what they do to it together."""

    names: tuple[str, ...] = ()
    effect: Effect = field(default_factory=Effect)


class Faults:
    """The rules in force in one sandbox, oldest first; used-up ones are gone.

    `initial` are the definitions of the workspace. Raises WorkspaceError when one of them makes no sense.
    """

    def __init__(self, ids: Ids, initial: Sequence[Mapping[str, Any]] = ()) -> None:
        self._ids = ids
        self._initial = tuple(_parsed(index, written) for index, written in enumerate(initial))
        self._lock = Lock()
        self._rules: list[Rule] = []
        self.reset()

    def add(self, written: Mapping[str, Any]) -> Rule:
        """Adds a rule from its JSON form (`rule.parse_definition`). Raises InputError."""
        definition = parse_definition(written)
        with self._lock:
            return self._put(definition)

    def match(self, asked: RequestSummary, *, trace_id: str, once: Definition | None = None) -> FaultMatch:
        """What hits this request; `once` is a definition that came with the request itself."""
        with self._lock:
            matched = [rule.definition for rule in self._rules if rule.matches(asked)]
            self._rules = [rule for rule in self._rules if rule.remaining != 0]
        if once is not None and self._strikes_once(once, asked, trace_id):
            matched.append(once)
        return FaultMatch(
            tuple(definition.fault.name for definition in matched),
            combined(definition.effect(trace_id) for definition in matched),
        )

    def rules(self) -> tuple[Rule, ...]:
        """The rules in force."""
        with self._lock:
            return tuple(self._rules)

    def remove(self, rule_id: int) -> None:
        """Removes one rule. Raises NotFound."""
        with self._lock:
            kept = [rule for rule in self._rules if rule.id != rule_id]
            if len(kept) == len(self._rules):
                known = ", ".join(str(rule.id) for rule in kept) or "none is in force"
                raise NotFound("there is no such fault in force", where="id", found=rule_id, allowed=known)
            self._rules = kept

    def clear(self) -> None:
        """Removes every rule."""
        with self._lock:
            self._rules = []

    def reset(self) -> None:
        """Back to the rules of the workspace, as if nothing had been struck; the same numbers will be drawn again."""
        with self._lock:
            self._numbers = count(1)
            self._rules = []
            for definition in self._initial:
                self._put(definition)

    def _put(self, definition: Definition) -> Rule:
        number = next(self._numbers)
        chance = self._ids.stream("fault", number).random
        rule = Rule(id=number, definition=definition, remaining=definition.times, chance=chance)
        self._rules.append(rule)
        return rule

    def _strikes_once(self, once: Definition, asked: RequestSummary, trace_id: str) -> bool:
        return once.fits(asked) and self._ids.stream("fault", trace_id).random() < once.probability


def _parsed(index: int, written: Mapping[str, Any]) -> Definition:
    try:
        return parse_definition(written)
    except InputError as error:
        raise WorkspaceError.at(f"faults[{index}].{error.where}", error) from None
