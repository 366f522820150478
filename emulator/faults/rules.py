"""The active rules of a sandbox, and the faults that match a request."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from threading import Lock
from typing import Any

from emulator.clock import Clock, to_iso
from emulator.errors import InputError, NotFound, WorkspaceError, unknown
from emulator.faults.definition import Definition, parse_definition
from emulator.faults.fault import InjectedUserError, RecordRejection
from emulator.faults.matching import RequestSummary
from emulator.faults.response import FaultedResponse
from emulator.ids import Ids

# Rules that were removed without a match are remembered up to this number.
MOST_REMOVED = 1000


@dataclass(slots=True, kw_only=True)
class Rule:
    """An active definition. `remaining` and `until` None are without limit; `chance` draws a number from 0 to 1.

    `document` is the definition as it was given; `initial`: by the workspace.
    """

    id: int
    definition: Definition
    document: Mapping[str, Any]
    remaining: int | None
    chance: Callable[[], float]
    initial: bool = False
    until: datetime | None = None
    matched: int = 0

    def matches(self, request: RequestSummary) -> bool:
        """Whether it matches this request; if so, counts it."""
        if self.remaining == 0 or not self.definition.applies_to(request):
            return False
        if self.definition.probability < 1 and self.chance() >= self.definition.probability:
            return False
        self.matched += 1
        if self.remaining is not None:
            self.remaining -= 1
        return True

    def as_dict(self) -> dict[str, Any]:
        """The rule as the control API shows it."""
        until = None if self.until is None else to_iso(self.until)
        counts = {"remaining": self.remaining, "until": until, "matched": self.matched}
        return {"id": self.id, **self.definition.as_dict(), **counts}


@dataclass(frozen=True, slots=True)
class FaultMatch:
    """The faults that match one request, oldest rule first. `label` replaces their names in the journal."""

    trace_id: str = ""
    definitions: tuple[Definition, ...] = ()
    label: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Their names, for the journal."""
        return tuple(self.label or each.fault.name for each in self.definitions)

    def on_request(self) -> FaultedResponse | None:
        """The response of the first fault that replaces the service's."""
        responses = (each.fault.on_request(self.trace_id) for each in self.definitions)
        return next((response for response in responses if response is not None), None)

    def on_response(self, response: FaultedResponse) -> FaultedResponse:
        """The response after every fault."""
        return reduce(lambda changed, each: each.fault.on_response(changed), self.definitions, response)

    def user_error(self, operation: str) -> InjectedUserError | None:
        """The user error for a mutation to return; a rule that names the mutation comes first."""
        ordered = sorted(self.definitions, key=lambda each: each.match.operation is None)
        errors = (each.fault.user_error(operation, each.match) for each in ordered)
        return next((error for error in errors if error is not None), None)

    def record_rejection(self) -> RecordRejection | None:
        """The records to reject at ingestion."""
        found = (each.fault.record_rejection(each.match) for each in self.definitions)
        return next((rejection for rejection in found if rejection is not None), None)


class Faults:
    """The active rules of one sandbox, oldest first. A rule that is used up is removed, and one whose time is over.

    `initial` are the definitions of the workspace; `clock` says how long a rule lasts. Raises WorkspaceError for an
    invalid one.
    """

    def __init__(self, ids: Ids, initial: Sequence[Mapping[str, Any]] = (), *, clock: Clock | None = None) -> None:
        self._ids = ids
        self._clock = clock or Clock()
        self._initial = parsed_initial(initial)
        self._lock = Lock()
        # The number of the rule that was added last.
        self._last = 0
        self._rules: list[Rule] = []
        self._removed: deque[Rule] = deque(maxlen=MOST_REMOVED)
        self._begin()

    def add(self, document: Mapping[str, Any]) -> Rule:
        """Adds a rule from the JSON form of its definition. Raises InputError."""
        definition = parse_definition(document)
        with self._changing():
            return self._add(document, definition)

    def match(self, request: RequestSummary, *, trace_id: str, once: Definition | None = None) -> FaultMatch:
        """The faults that match a request; `once` is a definition that came with the request."""
        matched = self._matched(request)
        if once is not None and once.applies_to(request):
            chance = self._ids.stream("fault", trace_id).random()
            matched += [once] if chance < once.probability else []
        return FaultMatch(trace_id, tuple(matched))

    def rules(self) -> tuple[Rule, ...]:
        """The active rules."""
        with self._reading():
            self._end()
            return tuple(self._rules)

    def remove(self, rule_id: int) -> None:
        """Removes one rule. Raises NotFound."""
        with self._changing():
            self._end()
            removed = [rule for rule in self._rules if rule.id == rule_id]
            kept = [rule for rule in self._rules if rule.id != rule_id]
            if len(kept) == len(self._rules):
                raise unknown("fault rule", rule_id, [str(rule.id) for rule in kept], where="id", error=NotFound)
            self._rules = kept
            self._removed += removed

    def clear(self) -> None:
        """Removes every rule."""
        with self._changing():
            self._removed += self._rules
            self._rules = []

    def unused(self) -> list[Rule]:
        """The rules that have matched no request since the start or the last reset, also those removed meanwhile."""
        with self._reading():
            self._end()
            return [rule for rule in (*self._removed, *self._rules) if not rule.matched]

    def reset(self) -> None:
        """Restores the rules of the workspace, their counters and the random numbers that they draw."""
        with self._changing():
            self._restart()

    def replace(self, initial: Sequence[Mapping[str, Any]], ids: Ids) -> None:
        """Makes the definitions of the workspace these, with ids for the rules that are new.

        Rules whose definition stays keep their counters, even those that are used up; rules added later stay.
        """
        definitions = parsed_initial(initial)
        with self._changing():
            self._ids = ids
            before = [document for document, _ in self._initial]
            self._initial = definitions
            kept = [rule for rule in self._rules if not rule.initial or rule.document in initial]
            self._removed += [rule for rule in self._rules if rule not in kept]
            self._rules = kept
            for document, definition in self._initial:
                if document in before:
                    before.remove(document)
                else:
                    self._add(document, definition, initial=True)

    def _changing(self) -> AbstractContextManager[object]:
        """To be held while rules are read and changed."""
        return self._lock

    def _reading(self) -> AbstractContextManager[object]:
        """To be held while rules are read."""
        return self._lock

    def _matched(self, request: RequestSummary) -> list[Definition]:
        """The definitions of the rules that match a request, which is counted."""
        with self._changing():
            self._end()
            matched = [rule.definition for rule in self._rules if rule.matches(request)]
            self._rules = [rule for rule in self._rules if rule.remaining != 0]
        return matched

    def _begin(self) -> None:
        """Begins with the rules of the workspace."""
        self._restart()

    def _restart(self) -> None:
        self._last = 0
        self._rules = []
        self._removed = deque(maxlen=MOST_REMOVED)
        for document, definition in self._initial:
            self._add(document, definition, initial=True)

    def _end(self) -> None:
        """Removes the rules whose time is over."""
        now = self._clock.now()
        over = [rule for rule in self._rules if rule.until is not None and rule.until <= now]
        if over:
            self._rules = [rule for rule in self._rules if rule not in over]
            self._removed += over

    def _add(self, document: Mapping[str, Any], definition: Definition, *, initial: bool = False) -> Rule:
        self._last += 1
        until = None if definition.lasts is None else self._clock.now() + definition.lasts
        rule = Rule(
            id=self._last,
            definition=definition,
            document=document,
            remaining=definition.times,
            chance=self._chance(self._last),
            initial=initial,
            until=until,
        )
        self._rules.append(rule)
        return rule

    def _chance(self, number: int) -> Callable[[], float]:
        return self._ids.stream("fault", number).random


def check_faults(documents: Sequence[Mapping[str, Any]]) -> None:
    """Raises WorkspaceError for an invalid definition in a workspace."""
    parsed_initial(documents)


def parsed_initial(documents: Sequence[Mapping[str, Any]]) -> tuple[tuple[Mapping[str, Any], Definition], ...]:
    """The definitions of a workspace, each with its JSON form. Raises WorkspaceError."""
    return tuple((document, _parsed(index, document)) for index, document in enumerate(documents))


def _parsed(index: int, document: Mapping[str, Any]) -> Definition:
    try:
        return parse_definition(document)
    except InputError as error:
        raise WorkspaceError.at(f"faults[{index}].{error.where}", error) from None
