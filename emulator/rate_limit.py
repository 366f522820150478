"""A limit on the request rate of each token: a bucket of permits, refilled with the time of the sandbox's clock.

That the real service responds with 429 is public; its limits and headers are not. There is no limit by default.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from emulator.clock import Clock
from emulator.durations import parse_duration
from emulator.errors import InputError, nearest

_KEYS = ("requests", "per", "burst")
_MOST = 1_000_000
# Limits that were replaced without a refusal are remembered up to this number.
MOST_REPLACED = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """`requests` per period `per`, at most `burst` at once after a pause."""

    requests: int
    per: timedelta
    burst: int

    def as_dict(self) -> dict[str, Any]:
        """The JSON form; `per` in seconds."""
        return {"requests": self.requests, "per": f"{self.per.total_seconds():g}s", "burst": self.burst}


def parse_rate_limit(written: Mapping[str, Any]) -> RateLimit:
    """Parses `{"requests": 10, "per": "1s", "burst"?: 20}`; `burst` is `requests` when absent. Raises InputError."""
    for name in written:
        if name not in _KEYS:
            hint = nearest(str(name), _KEYS)
            raise InputError(f"unknown key {name!r}", where=name, allowed=", ".join(_KEYS), hint=hint)
    requests = _count("requests", written.get("requests"))
    per = written.get("per", "1s")
    if not isinstance(per, str) or not (period := parse_duration(per, where="per")):
        raise InputError(
            "invalid duration", where="per", found=per, allowed="1s, 1m, 1h or another duration that is not zero"
        )
    return RateLimit(requests=requests, per=period, burst=_count("burst", written.get("burst", requests)))


def _count(name: str, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= _MOST:
        raise InputError("invalid number of requests", where=name, found=value, allowed=f"1 to {_MOST}")
    return value


class RateLimiter:
    """The active limit of one sandbox, the same for every token. Safe to share between threads."""

    def __init__(self, clock: Clock, initial: RateLimit | None = None) -> None:
        self._clock = clock
        self._initial = initial
        self._lock = Lock()
        self._limit: RateLimit | None = None
        self._replaced: deque[RateLimit] = deque(maxlen=MOST_REPLACED)
        self._start(initial)

    @property
    def limit(self) -> RateLimit | None:
        """The limit, None for none."""
        return self._limit

    def set(self, limit: RateLimit | None) -> None:
        """Changes the limit and refills every bucket."""
        with self._changing():
            self._set(limit)

    def replace(self, initial: RateLimit | None) -> None:
        """Sets the limit of a workspace that has been changed; `reset` restores it from now on."""
        with self._changing():
            self._initial = initial
            self._set(initial)

    def reset(self) -> None:
        """Restores the limit of the workspace, and forgets the earlier ones."""
        with self._changing():
            self._replaced.clear()
            self._start(self._initial)

    def unused(self) -> list[RateLimit]:
        """The limits that have refused no request since the start or the last reset, also those replaced meanwhile."""
        with self._reading():
            active = [] if self._limit is None or self._refused else [self._limit]
            return [*self._replaced, *active]

    def _changing(self) -> AbstractContextManager[object]:
        """To be held while the limit or a bucket is read and changed."""
        return self._lock

    def _reading(self) -> AbstractContextManager[object]:
        """To be held while they are read."""
        return self._lock

    def _set(self, limit: RateLimit | None) -> None:
        if self._limit is not None and not self._refused:
            self._replaced.append(self._limit)
        self._start(limit)

    def _start(self, limit: RateLimit | None) -> None:
        self._limit = limit
        self._refused = False
        self._permits: dict[str, tuple[float, datetime]] = {}

    def take(self, token: str) -> int | None:
        """Takes a permit of this token: None if there was one, else the seconds until the next, rounded up."""
        with self._changing():
            if self._limit is None:
                return None
            now = self._clock.now()
            permits, since = self._permits.get(token, (float(self._limit.burst), now))
            permits_a_second = self._limit.requests / self._limit.per.total_seconds()
            earned = max((now - since).total_seconds(), 0.0) * permits_a_second
            permits = min(permits + earned, float(self._limit.burst))
            # The sum of many small steps may fall short of a permit by a rounding error.
            granted = permits > 1 - 1e-6
            self._permits[token] = (permits - 1 if granted else permits, now)
            self._refused = self._refused or not granted
            return None if granted else max(math.ceil((1 - permits) / permits_a_second - 1e-6), 1)
