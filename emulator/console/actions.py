"""What the buttons of the console do: each is one operation of the control API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Action:
    """An operation, as `contracts/openapi.yaml` writes its path. `screen` is a name in the navigation; `*` is every
    screen.
    """

    screen: str
    name: str
    method: str
    path: str


_ALL = (
    Action("*", "advance", "POST", "/_emulator/clock/advance"),
    Action("*", "freeze", "POST", "/_emulator/clock/freeze"),
    Action("*", "resume", "POST", "/_emulator/clock/resume"),
    Action("Overview", "reset", "POST", "/_emulator/reset"),
    Action("Requests", "clear journal", "DELETE", "/_emulator/journal"),
    Action("Segments", "create segment", "POST", "/_emulator/segments"),
    Action("Segments", "delete segment", "DELETE", "/_emulator/segments/{segmentId}"),
)
ACTIONS: Final[Mapping[str, Action]] = MappingProxyType({action.name: action for action in _ALL})
