"""The bucket of permits on the sandbox's clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.clock import Clock
from emulator.errors import InputError
from emulator.rate_limit import RateLimit, RateLimiter, parse_rate_limit

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def limiter(**document: Any) -> tuple[RateLimiter, Clock]:
    clock = Clock(frozen_at=NOON)
    return RateLimiter(clock, parse_rate_limit(document)), clock


def test_without_a_limit_everything_is_granted() -> None:
    unlimited = RateLimiter(Clock(frozen_at=NOON))
    assert [unlimited.take("a") for _ in range(1000)] == [None] * 1000


def test_a_burst_is_granted_and_then_one_permit_at_a_time() -> None:
    limited, clock = limiter(requests=2, per="1s", burst=4)
    assert [limited.take("a") for _ in range(5)] == [None] * 4 + [1]
    clock.advance(timedelta(milliseconds=499))
    assert limited.take("a") == 1
    clock.advance(timedelta(milliseconds=1))
    assert [limited.take("a"), limited.take("a")] == [None, 1]


def test_the_wait_is_in_whole_seconds_and_long_enough() -> None:
    limited, clock = limiter(requests=1, per="1m")
    assert limited.take("a") is None
    clock.advance(timedelta(seconds=10.5))
    wait = limited.take("a")
    assert wait == 50
    clock.advance(timedelta(seconds=wait))
    assert limited.take("a") is None


def test_a_pause_earns_at_most_the_burst() -> None:
    limited, clock = limiter(requests=10, per="1s", burst=3)
    assert limited.take("a") is None
    clock.advance(timedelta(hours=1))
    assert [limited.take("a") is None for _ in range(4)] == [True, True, True, False]


def test_each_token_has_a_bucket_of_its_own() -> None:
    limited, _ = limiter(requests=1, per="1h")
    assert [limited.take("a"), limited.take("b"), limited.take("a")] == [None, None, 3600]


def test_a_new_limit_fills_every_bucket_and_a_reset_restores_the_first_limit() -> None:
    limited, _ = limiter(requests=1, per="1h")
    limited.take("a")
    limited.set(RateLimit(requests=2, per=timedelta(hours=1), burst=2))
    assert [limited.take("a") is None for _ in range(3)] == [True, True, False]
    limited.reset()
    assert [limited.take("a") is None for _ in range(2)] == [True, False]


@given(
    requests=st.integers(1, 50),
    burst=st.integers(1, 50),
    steps=st.lists(st.integers(0, 2000), min_size=1, max_size=60),
)
def test_no_more_is_granted_than_burst_and_time_allow(requests: int, burst: int, steps: list[int]) -> None:
    limited, clock = limiter(requests=requests, per="1s", burst=burst)
    granted = 0
    for milliseconds in steps:
        clock.advance(timedelta(milliseconds=milliseconds))
        granted += limited.take("a") is None
    assert granted <= burst + requests * sum(steps) / 1000 + 0.001


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "requests: .*1 to 1000000"),
        ({"requests": 0}, "requests: .*Found: 0"),
        ({"requests": True}, "requests: .*Found: True"),
        ({"requests": 5, "per": 1}, "per: invalid duration"),
        ({"requests": 5, "per": "0s"}, "per: invalid duration"),
        ({"requests": 5, "per": "fast"}, "per: .*duration.*Found: 'fast'"),
        ({"requests": 5, "burst": 0}, "burst: .*Found: 0"),
        ({"requests": 5, "brust": 9}, "brust: .*Did you mean 'burst'"),
    ],
)
def test_an_invalid_limit_names_what_is_allowed(document: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_rate_limit(document)


def test_a_limit_shows_its_json_form() -> None:
    assert parse_rate_limit({"requests": 10}).as_dict() == {"requests": 10, "per": "1s", "burst": 10}
    assert parse_rate_limit({"requests": 10, "per": "2m", "burst": 20}).as_dict() == {
        "requests": 10,
        "per": "120s",
        "burst": 20,
    }


def test_limits_that_refused_nothing_are_unused_until_a_reset() -> None:
    first, second = ({"requests": number, "per": "1h"} for number in (1, 2))
    limited, _ = limiter(**first)
    assert limited.unused() == [parse_rate_limit(first)]
    limited.set(parse_rate_limit(second))
    assert limited.unused() == [parse_rate_limit(first), parse_rate_limit(second)]
    assert [limited.take("a") for _ in range(3)] == [None, None, 1800]
    limited.set(None)
    assert limited.unused() == [parse_rate_limit(first)]
    limited.reset()
    assert limited.unused() == [parse_rate_limit(first)]
    assert [limited.take("a") for _ in range(2)] == [None, 3600]
    assert limited.unused() == []
