"""How long an accepted request takes to show. The service's help speaks of up to four hours."""

from __future__ import annotations

from datetime import timedelta

from emulator.durations import parse_duration
from emulator.ids import Ids

INSTANT = "instant"
REALISTIC = "realistic"
LONGEST = timedelta(hours=4)


def latency_of(setting: str, ids: Ids, request_id: str) -> timedelta:
    """`instant`, a duration such as `4h`, or `realistic`: up to four hours, fixed by the seed and the request."""
    if setting == INSTANT:
        return timedelta()
    if setting == REALISTIC:
        return LONGEST * ids.stream("latency", request_id).random()
    return parse_duration(setting, where="ingestion.latency")
