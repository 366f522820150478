"""A space with an audience that has a condition on events."""

from __future__ import annotations

from typing import Any

from emulator.events import MembershipChanged
from emulator.segment.tables import PERFORMED
from tests.segment.conftest import SegmentEnv

HOUR = 3_600_000
ORDER = "Order Completed"


def track(segment_env: SegmentEnv, user: str = "u1", event: str = ORDER, **more: Any) -> None:
    segment_env.segment.ingest("track", {"userId": user, "event": event, **more})


def members(segment_env: SegmentEnv) -> list[str]:
    return [member["userId"] for member in segment_env.segment.members("vip_customers")]


def turns(segment_env: SegmentEnv) -> list[tuple[str, bool]]:
    return [(change.at.isoformat(), change.entered) for change in segment_env.heard(MembershipChanged)]


def remembered(segment_env: SegmentEnv) -> list[tuple[str, str]]:
    with segment_env.sandbox.store.begin() as transaction:
        return [(row.event, row.properties) for row in transaction.execute(PERFORMED.select())]
