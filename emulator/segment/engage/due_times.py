"""When profiles are due: time alone may then change their audiences or journeys."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection as Transaction
from sqlalchemy import Row, bindparam, func, select

from emulator.segment.tables import DUE
from emulator.timestamps import to_millis

_PROFILES_AT_ONCE = 500

# Built once: run before every call in spaces whose conditions depend on time.
_DUE = (
    select(DUE.c.profile_id, DUE.c.at)
    .where(DUE.c.at <= bindparam("now"))
    .order_by(DUE.c.at, DUE.c.profile_id)
    .limit(_PROFILES_AT_ONCE)
)
_DUE_BETWEEN = select(DUE.c.at).distinct().where(DUE.c.at > bindparam("after"), DUE.c.at <= bindparam("until"))
_HOW_MANY_DUE = select(func.count()).where(DUE.c.at <= bindparam("until"))
_HOW_MANY = select(func.count()).select_from(_DUE_BETWEEN.subquery())
_AT_POSITION = _DUE_BETWEEN.order_by(DUE.c.at).limit(1).offset(bindparam("position"))


def first_due(transaction: Transaction, *, by: datetime) -> Sequence[Row[Any, Any]]:
    """Some of the profiles that are due by a time, `profile_id` and `at`, the earliest first."""
    return transaction.execute(_DUE, {"now": to_millis(by)}).all()


def number_due(transaction: Transaction, *, until: datetime) -> int:
    """How many profiles are due by `until`."""
    return int(transaction.execute(_HOW_MANY_DUE, {"until": to_millis(until)}).scalar_one())


def next_stop(transaction: Transaction, *, after: datetime, until: datetime, stops: int) -> int | None:
    """The first time, in milliseconds, at which a profile is due between `after` and `until`; None for none.

    With more than `stops` such times, the last of those that one stop has to cover.
    """
    span = {"after": to_millis(after), "until": to_millis(until)}
    times = transaction.execute(_HOW_MANY, span).scalar_one()
    if not times:
        return None
    at: int = transaction.execute(_AT_POSITION, span | {"position": (times - 1) // stops}).scalar_one()
    return at
