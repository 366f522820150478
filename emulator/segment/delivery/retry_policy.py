"""When a batch that could not be delivered is tried again.

Segment retries for four hours with randomised exponential back-off ("Destinations Overview"); the delays themselves are
not published, so these are ours.
"""

from __future__ import annotations

RETRY_MILLIS = 4 * 60 * 60 * 1000
FIRST_DELAY_MILLIS = 10 * 1000
LONGEST_DELAY_MILLIS = 20 * 60 * 1000


def next_attempt(*, first_at: int, now: int, attempts: int, chance: float) -> int | None:
    """The moment of the next try after `attempts` failed ones, or None when the four hours are over.

    Moments are in milliseconds; `chance` between 0 and 1 shortens the delay by up to half. The last try falls on the
    very end of the four hours.
    """
    end = first_at + RETRY_MILLIS
    if now >= end:
        return None
    delay = min(FIRST_DELAY_MILLIS << min(attempts - 1, 20), LONGEST_DELAY_MILLIS)
    return min(now + round(delay * (1 - chance / 2)), end)
