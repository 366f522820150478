from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from emulator.timestamps import iso_of_millis

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST, LAST = -62_135_596_800_000, 253_402_300_799_999


def test_a_timestamp_is_written_as_the_standard_library_writes_it() -> None:
    draw = Random(1)
    edges = [FIRST, -1, 0, 1, 59_999, 60_000, 86_399_999, 86_400_000, LAST]
    for millis in [*edges, *(draw.randint(FIRST, LAST) for _ in range(2000)), 0.5, -0.5, 1_700_000_000_123.75]:
        at = EPOCH + timedelta(milliseconds=millis)
        assert iso_of_millis(millis) == f"{at.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"  # type: ignore[arg-type]  # as a damaged file may have it


@pytest.mark.parametrize("millis", [FIRST - 1, LAST + 1, 10**30, -(10**30), "1", None, float("nan"), float("inf")])
def test_what_is_no_time_is_not_written(millis: int) -> None:
    with pytest.raises((OverflowError, TypeError, ValueError)):
        iso_of_millis(millis)
