"""The setting of a sandbox's clock, stored with its data."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, Integer, MetaData, Row, Table, insert, select, update

from emulator.clock import ClockSetting, Step
from emulator.column_rules import LATEST_MILLIS, holds
from emulator.statements import Prepared
from emulator.store import SANDBOX_LOCK, Store

CLOCK = MetaData()

_MOST_MICROS = LATEST_MILLIS * 1000

# One row: microseconds ahead of the machine's time, and microseconds since 1970 at which a frozen clock is.
CLOCK_SETTING = Table(
    "sandbox_clock",
    CLOCK,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("offset_micros", BigInteger, nullable=False, info=holds(least=-_MOST_MICROS, most=_MOST_MICROS)),
    Column("frozen_at_micros", BigInteger, info=holds(most=_MOST_MICROS)),
)

_ROW = 1
_STORED_CLOCK = Prepared(select(CLOCK_SETTING))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class StoredClock:
    """Stores a clock's setting with the data of its sandbox."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def load(self) -> ClockSetting | None:
        """The stored setting."""
        return _setting_in(self._store.read(select(CLOCK_SETTING)))

    def change(self, step: Step, *, default: ClockSetting) -> ClockSetting:
        """Applies a step to the stored setting, in one transaction."""
        with self._store.begin(locks=SANDBOX_LOCK) as connection:
            stored = stored_clock(connection)
            setting = step(stored or default)
            frozen_at = setting.frozen_at
            row = {
                "offset_micros": setting.offset // _MICROSECOND,
                "frozen_at_micros": None if frozen_at is None else (frozen_at - _EPOCH) // _MICROSECOND,
            }
            statement = insert(CLOCK_SETTING).values(id=_ROW) if stored is None else update(CLOCK_SETTING)
            connection.execute(statement.values(row))
        return setting


def stored_clock(connection: Connection) -> ClockSetting | None:
    """The stored setting of a clock, if any. Raises OverflowError or TypeError for an invalid one."""
    return _setting_in(_STORED_CLOCK.rows(connection))


def _setting_in(rows: Sequence[Row[Any]]) -> ClockSetting | None:
    if not rows:
        return None
    [row] = rows
    return setting_of(row.offset_micros, row.frozen_at_micros)


def setting_of(offset_micros: int, frozen_at_micros: int | None) -> ClockSetting:
    """The setting that is stored as these numbers. Raises OverflowError or TypeError for invalid ones."""
    return ClockSetting(
        offset=offset_micros * _MICROSECOND,
        frozen_at=None if frozen_at_micros is None else _EPOCH + frozen_at_micros * _MICROSECOND,
    )
