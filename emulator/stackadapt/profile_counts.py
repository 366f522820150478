"""How many profiles an advertiser has, kept up to date with each write: counting a million takes as long as a page."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, func, insert, select, update

from emulator.stackadapt.tables import PROFILE_COUNTS, PROFILES
from emulator.statements import Prepared

_CHANGE = Prepared(
    update(PROFILE_COUNTS)
    .where(PROFILE_COUNTS.c.advertiser_id == bindparam("advertiser"))
    .values(number=PROFILE_COUNTS.c.number + bindparam("by"))
    .returning(PROFILE_COUNTS.c.number)
)
_ADD = Prepared(insert(PROFILE_COUNTS).values(advertiser_id=bindparam("advertiser"), number=bindparam("by")))
_NUMBER = Prepared(select(PROFILE_COUNTS.c.number).where(PROFILE_COUNTS.c.advertiser_id == bindparam("advertiser")))


def change_number(connection: Connection, advertiser_id: str, by: int) -> None:
    """Notes that profiles were added, or deleted if the number is negative."""
    if by and _CHANGE.value(connection, advertiser=advertiser_id, by=by) is None:
        _ADD.run(connection, advertiser=advertiser_id, by=by)


def number_of(connection: Connection, advertiser_id: str) -> int:
    """How many profiles the advertiser has."""
    return int(_NUMBER.value(connection, advertiser=advertiser_id) or 0)


def count_again(connection: Connection) -> None:
    """Counts the profiles of all advertisers, after the tables were replaced."""
    connection.execute(PROFILE_COUNTS.delete())
    counted = select(PROFILES.c.advertiser_id, func.count()).group_by(PROFILES.c.advertiser_id)
    connection.execute(insert(PROFILE_COUNTS).from_select(["advertiser_id", "number"], counted))
