"""The rate limit of a sandbox that several processes share, with the permits of each token, in its store."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from emulator.clock import Clock
from emulator.rate_limit import MOST_REPLACED, RateLimit, RateLimiter
from emulator.shared_documents import InDocument, SharedDocument

_MICROSECOND = timedelta(microseconds=1)


class SharedRateLimiter(InDocument, RateLimiter):
    """As `RateLimiter`. Without a limit, a request reads nothing more."""

    def __init__(self, clock: Clock, initial: RateLimit | None = None, *, document: SharedDocument) -> None:
        self._document = document
        super().__init__(clock)
        self.replace(initial)

    @property
    def limit(self) -> RateLimit | None:
        """The limit, None for none."""
        with self._reading():
            return self._limit

    def replace(self, initial: RateLimit | None) -> None:
        """As of `RateLimiter`, unless another process was first: the stored limit stays then."""
        with self._changing():
            if self._initial != initial:
                self._initial = initial
                self._set(initial)

    def take(self, token: str) -> int | None:
        """As of `RateLimiter`, over all processes."""
        if self._limit is None and not self._document.is_known:
            with self._reading():
                pass
        return None if self._limit is None else super().take(token)

    def _stored(self) -> dict[str, Any]:
        return {
            "initial": _stored_limit(self._initial),
            "limit": _stored_limit(self._limit),
            "refused": self._refused,
            "replaced": [_stored_limit(each) for each in self._replaced],
            "permits": {token: (number, since.isoformat()) for token, (number, since) in self._permits.items()},
        }

    def _restore(self, stored: Mapping[str, Any] | None) -> None:
        found = stored or {"initial": None, "limit": None, "refused": False, "replaced": (), "permits": {}}
        self._initial = _limit(found["initial"])
        self._limit = _limit(found["limit"])
        self._refused = found["refused"]
        replaced = (_limit(each) for each in found["replaced"])
        self._replaced = deque((each for each in replaced if each is not None), maxlen=MOST_REPLACED)
        self._permits = {
            token: (number, datetime.fromisoformat(since)) for token, (number, since) in found["permits"].items()
        }


def _stored_limit(limit: RateLimit | None) -> list[int] | None:
    return None if limit is None else [limit.requests, limit.per // _MICROSECOND, limit.burst]


def _limit(stored: list[int] | None) -> RateLimit | None:
    if stored is None:
        return None
    requests, per, burst = stored
    return RateLimit(requests=requests, per=per * _MICROSECOND, burst=burst)
