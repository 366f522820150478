"""The places of an event where the same value may be: its traits, its properties and the traits of its context."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

SOURCES: Final = ("traits", "properties", "context.traits")
_ROOT: Final = "$."


def other_sources(path: str) -> Iterator[str]:
    """The path in the other sources: of `$.traits.email` those in `properties` and `context.traits`; none elsewhere."""
    root = _ROOT if path.startswith(_ROOT) else ""
    own = source_of(path)
    if own is None:
        return
    rest = path.removeprefix(root).removeprefix(own)
    for other in SOURCES:
        if other != own:
            yield f"{root}{other}{rest}"


def source_of(path: str) -> str | None:
    """The source that a path is in."""
    bare = path.removeprefix(_ROOT)
    return next((each for each in SOURCES if bare == each or bare.startswith((f"{each}.", f"{each}["))), None)
