"""Takes from an event what does not matter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any, Final

# Without them Segment does not accept a call.
_REQUIRED: Final = frozenset({("type",), ("event",), ("userId",), ("anonymousId",)})
Path = tuple[str, ...]


def shrunk(event: dict[str, Any], still: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The event without each member that it can lose with `still` true of it; the outer ones are tried first."""
    for path in _members(event, ()):
        smaller = _without(event, path)
        if smaller is not None and path not in _REQUIRED and still(smaller):
            event = smaller
    return event


def _members(part: Any, at: Path) -> Iterator[Path]:
    for name, value in part.items() if isinstance(part, dict) else ():
        yield (*at, name)
        yield from _members(value, (*at, name))


def _without(event: dict[str, Any], path: Path) -> dict[str, Any] | None:
    """A copy without a member; None where it has gone with an outer one."""
    smaller = deepcopy(event)
    inner: Any = smaller
    for key in path[:-1]:
        inner = inner.get(key) if isinstance(inner, dict) else None
    if not isinstance(inner, dict) or path[-1] not in inner:
        return None
    del inner[path[-1]]
    return smaller
