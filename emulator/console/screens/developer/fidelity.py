"""Fidelity: the ledger of what is emulated, by provenance, area and words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.console.control_api import ControlAPI
from emulator.console.screens.screen import Screen, Values
from emulator.console.view import Address, View

_PAGE = 50


def row_link(view: View, name: str) -> Address:
    """Where a row of the ledger is shown."""
    return view.link("fidelity", text=name)


def _values(api: ControlAPI, view: View) -> Values:
    asked = {name: view.get(name) for name in ("provenance", "area", "text")}
    answer = api.get("fidelity", **asked)
    rows, start = answer["behaviours"], view.number("from")
    return {
        "answer": answer,
        "rows": [_shown(view, row) for row in rows[start : start + _PAGE]],
        "number": len(rows),
        "before": view.here(**{"from": max(start - _PAGE, 0) or None}) if start else None,
        "after": view.here(**{"from": start + _PAGE}) if start + _PAGE < len(rows) else None,
        "provenances": [(each, view.here(provenance=each["name"], **{"from": None})) for each in answer["provenances"]],
        "curl": view.curl("fidelity", **asked),
    }


def _shown(view: View, row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **row,
        "settings": [(each, view.link("workspace", setting=each)) for each in row["settings"]],
        "scenarios": [(each, view.link("scenarios", scenario=each)) for each in row["scenarios"]],
    }


SCREEN = Screen(group="Developer", name="Fidelity", path="fidelity", template="developer/fidelity", values=_values)
