"""A fault that waits for its request: which fault, on which requests, how often."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from emulator.errors import InputError, nearest
from emulator.faults.effect import Effect
from emulator.faults.fault import Fault
from emulator.faults.latency import Latency
from emulator.faults.matching import Match, RequestSummary
from emulator.faults.not_json import NotJson
from emulator.faults.options import MATCHERS, whole_number
from emulator.faults.partial import Partial
from emulator.faults.reset import Reset
from emulator.faults.status import Status
from emulator.faults.timeout import Timeout
from emulator.faults.truncated import Truncated
from emulator.faults.user_errors import UserErrors

REGISTRY: Final[Mapping[str, type[Fault]]] = {
    fault.name: fault for fault in (Status, Latency, Timeout, Reset, Truncated, NotJson, UserErrors, Partial)
}
_MOST_TIMES = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A rule as it was written. `probability` is between 0 and 1; `times` None means for ever."""

    fault: Fault
    match: Match
    probability: float = 1.0
    times: int | None = None

    def fits(self, asked: RequestSummary) -> bool:
        """Whether the fault could strike such a request."""
        return self.probability > 0 and self.match.fits(asked) and self.fault.applies_to(asked)

    def effect(self, trace_id: str) -> Effect:
        """What it does when it strikes."""
        return self.fault.effect(trace_id, self.match)

    def as_dict(self) -> dict[str, Any]:
        """The definition in its JSON form, every member shown but `times`."""
        return {
            "fault": self.fault.name,
            **self.fault.options(),
            **{name: getattr(self.match, name) for name in MATCHERS},
            "probability": self.probability,
        }


def parse_definition(written: Mapping[str, Any]) -> Definition:
    """Reads `{"fault": name, "operation"?, "advertiser"?, "email"?, "probability"?, "times"?, …options of the fault}`.

    Raises InputError, naming the member.
    """
    options = dict(written)
    kind = _kind(options.pop("fault", None))
    match = Match(**{name: _pattern(options, name) for name in MATCHERS})
    probability = _probability(options.pop("probability", 1.0))
    times = whole_number(options, "times", least=1, most=_MOST_TIMES) if "times" in options else None
    options.pop("times", None)
    return Definition(fault=kind.parse(options), match=match, probability=probability, times=times)


def check_operation(operation: object, known: Collection[str]) -> None:
    """A rule for a root field that the schema does not have would never strike. Raises InputError."""
    if isinstance(operation, str) and operation not in known:
        hint = nearest(operation, known)
        raise InputError("the schema has no such root field", where="operation", found=operation, hint=hint)


def _kind(name: object) -> type[Fault]:
    kind = REGISTRY.get(name) if isinstance(name, str) else None
    if kind is None:
        raise InputError(
            "there is no such fault",
            where="fault",
            found=name,
            allowed=", ".join(sorted(REGISTRY)),
            hint=nearest(str(name), REGISTRY),
        )
    return kind


def _pattern(options: dict[str, Any], name: str) -> str | None:
    value = options.pop(name, None)
    if value is not None and (not isinstance(value, str) or not value):
        raise InputError("this is not a text", where=name, found=value, allowed="a text")
    return value


def _probability(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1:
        raise InputError("this is not a probability", where="probability", found=value, allowed="0 to 1")
    return float(value)
