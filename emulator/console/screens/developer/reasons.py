"""Reasons: what each reason code means and what to do, and how often something in the sandbox has it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any

from emulator.console.control_api import ControlAPI
from emulator.console.screens.developer.fidelity import row_link
from emulator.console.screens.screen import Screen, Values
from emulator.console.view import Address, View

# The lists that show what has a reason: deliveries, unless the stage is one of these.
_LISTS = {
    "Failed on ingest": "debugger",
    "Filtered at source": "debugger",
    "rejected": "rejections",
    "pending": "rejections",
    "suppressed": "rejections",
}
_DELIVERIES = "destinations/delivery"
_REQUESTS = "requests"


def reason_link(view: View, code: str | None) -> Address | None:
    """Where a reason is explained; None without one."""
    return Address(f"{view.link('reasons')}#{code}") if code else None


def _values(api: ControlAPI, view: View) -> Values:
    text = view.get("text")
    found = [_shown(view, each) for each in api.get("reasons", text=text)["reasons"]]
    return {
        "stages": [
            (f"{service}: {stage}", [*reasons])
            for (service, stage), reasons in groupby(found, key=lambda each: (each["service"], each["stage"]))
        ],
        "now": [each for each in found if each["count"]],
        "number": len(found),
        "curl": view.curl("reasons", text=text),
    }


def _shown(view: View, reason: Mapping[str, Any]) -> dict[str, Any]:
    default = _DELIVERIES if reason["service"] == "Segment" else _REQUESTS
    listed = view.link(_LISTS.get(reason["stage"], default), reason=reason["code"])
    rows = [(name, row_link(view, name)) for name in reason["behaviours"]]
    return {**reason, "list": listed if reason["count"] else None, "rows": rows}


SCREEN = Screen(group="Developer", name="Reasons", path="reasons", template="developer/reasons", values=_values)
