"""Reasons: what each reason code means and what to do, and how often something in the sandbox has it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import groupby
from typing import Any

from emulator.artefacts import contract_text
from emulator.console.control_api import ControlAPI
from emulator.console.screens.developer.fidelity import row_link
from emulator.console.screens.screen import Screen, Values
from emulator.console.view import Address, View
from emulator.yaml_files import load_yaml

# The lists of what is counted, by the names of the API.
_LISTS = {
    "calls": "debugger",
    "deliveries": "destinations/delivery",
    "records": "rejections",
}


def reason_link(view: View, code: str | None) -> Address | None:
    """Where a reason is explained; None without one."""
    return Address(f"{view.link('reasons')}#{code}") if code else None


@cache
def _table() -> Any:
    return load_yaml(contract_text("reason-codes.yaml"))


def reason_codes(*groups: str) -> list[str]:
    """The codes in these groups of the table; with which a record can end at StackAdapt, without any."""
    return [each["code"] for group in groups or ("reasons",) for each in _table()[group]]


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
    listed = view.link(_LISTS.get(reason["counts"], "debugger"), reason=reason["code"]) if reason["count"] else None
    rows = [(name, row_link(view, name)) for name in reason["behaviours"]]
    return {**reason, "list": listed, "rows": rows}


SCREEN = Screen(group="Developer", name="Reasons", path="reasons", template="developer/reasons", values=_values)
