"""What the buttons of the console do: each is one operation of the control API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Action:
    """An operation, as `contracts/openapi.yaml` writes its path. No two actions have the same name."""

    name: str
    method: str
    path: str


EVERYWHERE: Final = (
    Action("advance", "POST", "/_emulator/clock/advance"),
    Action("freeze", "POST", "/_emulator/clock/freeze"),
    Action("resume", "POST", "/_emulator/clock/resume"),
)
