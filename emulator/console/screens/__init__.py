"""The screens, in the order of the navigation."""

from __future__ import annotations

from typing import Final

from emulator.console.screens import overview, person, profiles, reasons, requests, segments
from emulator.console.screens.screen import Screen

SCREENS: Final[tuple[Screen, ...]] = (
    overview.SCREEN,
    person.SCREEN,
    profiles.SCREEN,
    segments.SCREEN,
    requests.SCREEN,
    reasons.SCREEN,
)
