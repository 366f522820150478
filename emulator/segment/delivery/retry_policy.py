"""When a batch that could not be delivered is retried.

Segment retries for four hours with randomized exponential backoff ("Destinations Overview"). Its delays are not
published; these are the emulator's.
"""

from __future__ import annotations

RETRY_MILLIS = 4 * 60 * 60 * 1000
FIRST_DELAY_MILLIS = 10 * 1000
LONGEST_DELAY_MILLIS = 20 * 60 * 1000


def next_attempt(*, first_at: int, now: int, attempts: int, chance: float) -> int | None:
    """The time of the next attempt after `attempts` failed ones, in milliseconds; None when the four hours are over.

    `chance`, between 0 and 1, shortens the delay by up to half. The last attempt is at the end of the four hours.
    """
    end = first_at + RETRY_MILLIS
    if now >= end:
        return None
    delay = min(FIRST_DELAY_MILLIS << min(attempts - 1, 20), LONGEST_DELAY_MILLIS)
    return min(now + round(delay * (1 - chance / 2)), end)
