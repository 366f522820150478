"""How long the current work may wait for other servers: the HTTP server sets it, the delivery observes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class _Patience:
    seconds: float | None = None
    on_wait: Callable[[], object] = lambda: None


_CURRENT: ContextVar[_Patience] = ContextVar("patience", default=_Patience())  # noqa: B039 - it is frozen


@contextmanager
def patience(seconds: float | None, *, on_wait: Callable[[], object] | None = None) -> Iterator[None]:
    """Within the block, other servers are waited for at most so long; None is no limit.

    `on_wait` is called before such a wait; without it, what was to be called outside of the block still is.
    """
    token = _CURRENT.set(_Patience(seconds, on_wait or _CURRENT.get().on_wait))
    try:
        yield
    finally:
        _CURRENT.reset(token)


def patience_seconds() -> float | None:
    """How long to wait for other servers; None, the default, is no limit."""
    return _CURRENT.get().seconds


def begin_wait() -> None:
    """To be called before other servers are waited for."""
    _CURRENT.get().on_wait()
