"""When each trait of a profile was set, as it is stored: traits that were set last need no entry of their own.

A profile whose traits were all set by one call, as most are, stores one timestamp for all of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from emulator.json_text import compact
from emulator.segment.profiles.profile import Setting

_NEVER: Setting = (0, 0)


def stored_settings(traits: Iterable[str], updated: Mapping[str, Setting]) -> dict[str, Any]:
    """The columns `updated`, `set_at` and `turn`.

    A trait that was removed keeps its entry. Where the order would be lost, every trait has one.
    """
    latest = max(updated.values(), key=_turn_of, default=_NEVER)
    others = {name: setting for name, setting in updated.items() if setting != latest}
    if [*_joined(traits, others, latest)] != [*updated]:
        others = dict(updated)
    return {"updated": compact(others), "set_at": latest[0], "turn": latest[1]}


def settings_of(traits: Iterable[str], updated: str, set_at: int, turn: int) -> dict[str, Setting]:
    """The setting of each trait, from these columns."""
    others = {name: (at, number) for name, (at, number) in json.loads(updated).items()}
    return _joined(traits, others, (set_at, turn))


def _joined(traits: Iterable[str], others: dict[str, Setting], latest: Setting) -> dict[str, Setting]:
    if others and others.keys() >= set(traits):
        return others
    return dict.fromkeys(traits, latest) | others


def _turn_of(setting: Setting) -> int:
    return setting[1]
