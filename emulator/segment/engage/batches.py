"""When batch audiences are computed: every eight hours, counted from the first call.

"Unify product limits" in Segment's documentation: audiences with time windows, funnels, dynamic property references or
account-level membership are computed "1 per 8 hours", others in real time. At which hours is not published; counted
from the first call, a test does not depend on the time of day.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import Connection as Transaction
from sqlalchemy import insert, select

from emulator.segment.tables import SPACE_START
from emulator.timestamps import MILLISECOND

BATCH_PERIOD = timedelta(hours=8)
_PERIOD = BATCH_PERIOD // MILLISECOND


class BatchSchedule:
    """The schedule of the batch audiences with these keys. Times are in milliseconds."""

    def __init__(self, keys: Collection[str]) -> None:
        self.keys = frozenset(keys)

    def start(self, transaction: Transaction, now: int) -> int:
        """When the space started: `now`, stored, for one that has just started. 0 without batch audiences."""
        if not self.keys:
            return 0
        stored = transaction.scalar(select(SPACE_START.c.at))
        if stored is None:
            transaction.execute(insert(SPACE_START).values(id=1, at=now))
            return now
        return int(stored)

    def coming(self, transaction: Transaction, now: int) -> dict[str, int]:
        """When each batch audience is computed next, by key; none before the space has started."""
        stored = transaction.scalar(select(SPACE_START.c.at)) if self.keys else None
        return {} if stored is None else dict.fromkeys(self.keys, computed_from(now + 1, int(stored)))

    def at(self, time: int, start: int) -> frozenset[str]:
        """The batch audiences that are computed at this time: all, or none."""
        return self.keys if (time - start) % _PERIOD == 0 else frozenset()


def computed_from(time: int, start: int) -> int:
    """The first time, not before `time`, at which batch audiences are computed."""
    return time + (start - time) % _PERIOD
