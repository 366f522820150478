"""Parts of the workspace: their paths in the control API, and the actions that change them."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from emulator.console.actions import Action

CHANGE: Final = Action("change destination", "PATCH", "/_emulator/workspace/{part}/{name}")
CHANGE_AUDIENCE: Final = Action("change audience", "PUT", "/_emulator/workspace/{part}/{name}")
CHANGE_WORKSPACE: Final = Action("change workspace", "PATCH", "/_emulator/workspace")
_MAPPING: Final = "/_emulator/workspace/destinations/{destination}/subscriptions/{name}"
SAVE_MAPPING: Final = Action("save mapping", "PUT", _MAPPING)
SWITCH_MAPPING: Final = Action("switch mapping", "PATCH", _MAPPING)
REPLAY: Final = Action("replay dead letters", "POST", "/_emulator/dead-letters/replay")
# What the buttons beside findings do.
FIXES: Final = (CHANGE, CHANGE_AUDIENCE, CHANGE_WORKSPACE, SAVE_MAPPING, SWITCH_MAPPING)


def below(*names: str) -> str:
    """The path of a part of the workspace, below `/_emulator/`: `destinations`, a name, a list of it, a name in it."""
    return "/".join(("workspace", *(quote(name, safe="") for name in names)))


def path_of(*names: str) -> str:
    """The whole path, for an action."""
    return f"/_emulator/{below(*names)}"
