"""An advance of the clock that takes long: how far it is, and what to know when it fails on the way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from emulator.clock import to_iso
from emulator.store_failures import StoreFailure


@dataclass(frozen=True, slots=True)
class AdvanceInProgress:
    """What is left to do until the clock is at `until`: profiles to compute, and events to send."""

    until: datetime
    profiles: int
    events: int

    def as_dict(self) -> dict[str, Any]:
        """As the control API shows it."""
        return {"until": to_iso(self.until), "profilesDue": self.profiles, "eventsQueued": self.events}


class AdvanceStopped(StoreFailure):
    """The store failed during an advance.

    The clock stays at the stop that it had reached: everything due before is done, and what is due there goes on with
    the next request. There is no `Retry-After`: the same advance again would lead too far.
    """

    def __init__(self, failure: StoreFailure, now: datetime, until: datetime | None) -> None:
        seconds = 0 if until is None else max((until - now).total_seconds(), 0)
        left = f"{seconds:.3f}".rstrip("0").rstrip(".")
        further = f" Then advance by the {left} seconds that are left." if seconds else ""
        super().__init__(
            f"{failure.message}; the clock stopped at {to_iso(now)}",
            where=failure.where,
            hint=f"{failure.hint or ''} What is due by then follows with the next request.{further}".lstrip(),
        )
