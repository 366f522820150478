"""Workspace: its YAML in an editor, with what lint finds and what would change beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import escape

from emulator.console.actions import Action
from emulator.console.control_api import ControlAPI
from emulator.console.screens.screen import Screen, Values
from emulator.console.view import View
from emulator.text import without_addresses

# What the editor can begin with besides the active workspace, and what it is called.
_BEGINNINGS = {
    "start": "What the server was started with",
    "starter": "Template with comments",
    "default": "Default workspace",
    "empty": "Empty workspace",
}


def _values(api: ControlAPI, view: View) -> Values:
    beginning, setting = view.get("begin"), view.get("setting")
    begin = beginning if beginning in _BEGINNINGS else None
    hidden = view.masked or not view.get("reveal")
    text = _text(api, begin, mask=hidden)
    started = api.get("workspace/start", mask=True)
    return {
        # In full: what is applied is all of it.
        "text": escape(without_addresses(text) if view.masked else text),
        "hidden": hidden,
        "lines": text.count("\n") + 1,
        "begin": begin,
        "beginnings": [(label, view.here(begin=name, reveal="on")) for name, label in _BEGINNINGS.items()],
        "findings": [_finding(each) for each in api.get("workspace", mask=True)["findings"]] if hidden else [],
        "file": started["file"],
        "refused": started["refused"],
        "setting": setting,
        "at": _line_of(text, setting) if setting else None,
        "curl": view.curl("workspace", format="yaml"),
    }


def _text(api: ControlAPI, begin: str | None, *, mask: bool) -> str:
    """The YAML that the editor begins with."""
    if begin is None or begin == "start":
        path = "workspace" if begin is None else "workspace/start"
        return api.response(path, format="yaml", mask=mask).get_data(as_text=True)
    return api.response(f"workspace/templates/{begin}").get_data(as_text=True)


def _finding(each: Mapping[str, Any]) -> dict[str, Any]:
    return {name: each.get(name) for name in ("code", "severity", "place", "message", "why", "fix")}


def _line_of(text: str, setting: str) -> int | None:
    """The first line with the last key of a setting such as `destinations[].batch.age`."""
    key = setting.rpartition(".")[2].removesuffix("[]")
    lines = enumerate(text.splitlines(), 1)
    return next((number for number, line in lines if line.lstrip("- ").startswith(f"{key}:")), None)


SCREEN = Screen(
    group="Developer",
    name="Workspace",
    path="workspace",
    template="developer/workspace",
    values=_values,
    actions=(Action("apply workspace", "PUT", "/_emulator/workspace"),),
    script="workspace",
)
