"""Things that go wrong when told: a fault is a small class in a file of its own, registered by name.

A rule says which fault, on which operation, and how often. `Faults` belongs to a sandbox; the door that answers
requests asks it, and knows no fault by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from threading import Lock
from typing import Any

from emulator.errors import InputError, nearest
from emulator.faults.fault import Fault
from emulator.faults.http_status import HttpStatus
from emulator.faults.user_errors import UserErrors

REGISTRY: Mapping[str, type[Fault]] = {fault.name: fault for fault in (HttpStatus, UserErrors)}


@dataclass(slots=True, kw_only=True)
class Rule:
    """A fault that waits for its request. `operation` None matches every request; `remaining` None means for ever."""

    id: int
    fault: Fault
    operation: str | None
    remaining: int | None

    def as_dict(self) -> dict[str, Any]:
        """The rule as the control API shows it."""
        return {
            "id": self.id,
            "fault": self.fault.name,
            **self.fault.options(),
            "operation": self.operation,
            "remaining": self.remaining,
        }


class Faults:
    """The rules in force in one sandbox, oldest first."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []
        self._ids = count(1)
        self._lock = Lock()

    def add(self, definition: Mapping[str, Any]) -> Rule:
        """Adds a rule from its JSON form: `{"fault": name, "operation"?, "times"?, …options of the fault}`.

        Raises InputError for an unknown fault or option.
        """
        options = dict(definition)
        name = options.pop("fault", None)
        operation = options.pop("operation", None)
        times = options.pop("times", None)
        kind = REGISTRY.get(name) if isinstance(name, str) else None
        if kind is None:
            raise InputError(
                "there is no such fault.",
                where="fault",
                found=name,
                allowed=", ".join(sorted(REGISTRY)),
                hint=nearest(str(name), REGISTRY),
            )
        if times is not None and (not isinstance(times, int) or isinstance(times, bool) or times < 1):
            raise InputError("this is not a number of requests.", where="times", found=times, allowed="1 or more")
        with self._lock:
            rule = Rule(id=next(self._ids), fault=kind.parse(options), operation=operation, remaining=times)
            self._rules.append(rule)
        return rule

    def strike(self, operations: tuple[str, ...]) -> tuple[Fault, ...]:
        """The faults that hit a request with these root fields; each hit uses up one of the rule's times."""
        struck = []
        with self._lock:
            for rule in self._rules:
                if rule.operation is not None and rule.operation not in operations:
                    continue
                struck.append(rule.fault)
                if rule.remaining is not None:
                    rule.remaining -= 1
            self._rules = [rule for rule in self._rules if rule.remaining != 0]
        return tuple(struck)

    def rules(self) -> tuple[Rule, ...]:
        """The rules in force."""
        with self._lock:
            return tuple(self._rules)

    def clear(self) -> None:
        """Removes every rule."""
        with self._lock:
            self._rules = []
