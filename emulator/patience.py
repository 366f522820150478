"""How long the current work may wait for other servers: the HTTP server sets it, the delivery observes it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_SECONDS: ContextVar[float | None] = ContextVar("patience_seconds", default=None)


@contextmanager
def patience(seconds: float | None) -> Iterator[None]:
    """Within the block, other servers are waited for at most so long; None is no limit."""
    token = _SECONDS.set(seconds)
    try:
        yield
    finally:
        _SECONDS.reset(token)


def patience_seconds() -> float | None:
    """How long to wait for other servers; None, the default, is no limit."""
    return _SECONDS.get()
