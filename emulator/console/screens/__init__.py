"""The screens, in the order of the navigation, and the actions of all."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from emulator.console.actions import EVERYWHERE, Action
from emulator.console.screens import overview, person
from emulator.console.screens.developer import faults, graphql, reasons, requests, snapshots
from emulator.console.screens.screen import Screen
from emulator.console.screens.stackadapt import profiles, segments

# Segment's group comes first, in the order in which an event passes the services.
SCREENS: Final[tuple[Screen, ...]] = (
    overview.SCREEN,
    person.SCREEN,
    profiles.SCREEN,
    segments.SCREEN,
    requests.SCREEN,
    graphql.SCREEN,
    faults.SCREEN,
    snapshots.SCREEN,
    reasons.SCREEN,
)


def _actions() -> dict[str, Action]:
    found: dict[str, Action] = {}
    for action in (*EVERYWHERE, *(each for screen in SCREENS for each in screen.actions)):
        if found.setdefault(action.name, action) != action:
            raise ValueError(f"two actions of the console have the name {action.name!r}")
    return found


ACTIONS: Final[Mapping[str, Action]] = MappingProxyType(_actions())
