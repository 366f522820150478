"""Scenarios: those that come with the package, read and played, and one of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.console.actions import Action
from emulator.console.control_api import ControlAPI
from emulator.console.screens.developer.fidelity import row_link
from emulator.console.screens.screen import Screen, Values
from emulator.console.tables import Cell, Row, Table, rows_of
from emulator.console.view import View

_RUN = "play scenarios"
# A first one, to be changed.
_EXAMPLE = """\
title: Ada becomes visible
about: She enters the audience, and is visible once the latency has passed.
given:
  people:
    ada: {email: ada@example.com, traits: {total_spent: 700}}
steps:
  - when:
      - identify: ada
      - advance: 4h
    then:
      profiles: [{person: ada}]
"""


def _values(api: ControlAPI, view: View) -> Values:
    text, name = view.get("text"), view.get("scenario")
    answer = api.get("scenarios", text=text)
    table = Table(
        caption=f"{len(answer['scenarios'])} of {answer['total']} scenarios",
        columns=("Scenario", "Title", "Rows of the ledger", "Generation and API version"),
        rows=rows_of(answer["scenarios"], lambda item: _row(item, view)),
        empty="No scenario has these words.",
    )
    return {
        "table": table,
        "selected": _selected(api, view, name) if name else None,
        "own": _EXAMPLE if view.get("own") else None,
        "curl": view.curl("scenarios/run", sent={"scenario": name} if name else {}),
        "junit": view.curl("scenarios/run", sent={"scenario": name} if name else {}, format="junit"),
    }


def _row(item: Mapping[str, Any], view: View) -> Row:
    cells = [f"{cell['generation']} with {cell['apiVersion']}" for cell in item["cells"]]
    return Row(
        [
            Cell(item["name"], view.here(scenario=item["name"], own=None)),
            Cell(item["title"]),
            Cell(len(item["shows"])),
            Cell(f"{len(cells)}, from {cells[0]} to {cells[-1]}" if cells else None),
        ],
        selected=item["name"] == view.get("scenario"),
    )


def _selected(api: ControlAPI, view: View, name: str) -> dict[str, Any]:
    found = api.get(f"scenarios/{name}")
    cells = found["cells"]
    versions = sorted({cell["apiVersion"] for cell in cells}, reverse=True)
    expected = {(cell["generation"], cell["apiVersion"]): cell["expected"] for cell in cells}
    return {
        **found,
        "rows": [(row, row_link(view, row)) for row in found["shows"]],
        "versions": versions,
        "matrix": [
            (generation, [expected.get((generation, version)) for version in versions])
            for generation in sorted({cell["generation"] for cell in cells}, reverse=True)
        ],
    }


SCREEN = Screen(
    group="Developer",
    name="Scenarios",
    path="scenarios",
    template="developer/scenarios",
    values=_values,
    actions=(Action(_RUN, "POST", "/_emulator/scenarios/run"),),
    script="scenarios",
)
