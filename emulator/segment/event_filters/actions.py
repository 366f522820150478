"""What a filter does with an event: keep a share of them, drop it, or remove members of its objects.

As in Segment's published evaluator (@segment/tsub 2.0.1): the objects of a list at a path are changed one by one, and
what is no object stays as it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from emulator.json_text import compact
from emulator.segment.event_filters.query import value_at
from emulator.workspace import FilterAction

SAMPLE, DROP, DROP_PROPERTIES, ALLOW_PROPERTIES = "SAMPLE", "DROP", "DROP_PROPERTIES", "ALLOW_PROPERTIES"
# "Destination Filters" in Segment's documentation: the order in which the actions of all filters are applied.
ORDER = (SAMPLE, DROP, DROP_PROPERTIES, ALLOW_PROPERTIES)


def is_kept(action: FilterAction, event: dict[str, Any], chance: float) -> bool:
    """Whether SAMPLE keeps an event: by the value at its path, or by `chance`, between 0 and 1."""
    percent = action.percent or 0
    if percent <= 0 or percent >= 1:
        return percent >= 1
    return (_share(value_at(event, action.path.split("."))) if action.path else chance) < percent


def _share(value: Any) -> float:
    """A number between 0 and 1 that depends on the value only: the digest that the published evaluator takes."""
    digest = hashlib.md5(compact(value).encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def remove_members(action: FilterAction, event: dict[str, Any]) -> list[str]:
    """Removes members in place, as DROP_PROPERTIES or ALLOW_PROPERTIES; returns the paths of those removed."""
    removed: list[str] = []
    for path, names in (action.fields or {}).items():
        for members in _objects_at(event, path):
            listed = (name in names for name in members)
            for name in [name for name, is_listed in zip(members, listed, strict=True) if is_listed == _drops(action)]:
                del members[name]
                removed.append(f"{path}.{name}" if path else name)
    return list(dict.fromkeys(removed))


def _drops(action: FilterAction) -> bool:
    return action.type == DROP_PROPERTIES


def _objects_at(event: dict[str, Any], path: str) -> Iterator[dict[str, Any]]:
    found = value_at(event, path.split(".")) if path else event
    for each in found if isinstance(found, list) else [found]:
        if isinstance(each, dict):
            yield each
