"""Upgrade of the destination: what another generation would do to the workspace, with the people whom it knows."""

from __future__ import annotations

import json
from typing import Any, Final

from emulator.console.control_api import ControlAPI, Refused
from emulator.console.screens.screen import Screen, Values
from emulator.console.screens.segment.destination_page import Item, asked, frame
from emulator.console.tables import Cell, Row, Table, rows_of
from emulator.console.view import View

_COLUMNS: Final = ("Level", "Difference", "Count", "Cause", "What to do", "Examples")


def _values(api: ControlAPI, view: View) -> Values:
    item = asked(api, view)
    framed = frame(api, view, item)
    if item is None:
        return framed
    generations = [each["generation"] for each in api.get("catalog")["destinations"]]
    return {**framed, "generations": generations, **_checked(api, view)}


def _checked(api: ControlAPI, view: View) -> dict[str, Any]:
    """The check of the generation in the address. `problem` is why there is none."""
    to = view.get("to")
    if to is None:
        return {"upgrade": None}
    body = {"to": to, "mappings": view.get("mappings") or "saved", "known": True}
    try:
        upgrade = api.post("upgrade-check", body)["upgrades"][0]
    except Refused as refused:
        return {"upgrade": None, "problem": refused.error}
    return {"upgrade": upgrade, "differences": _differences(view, upgrade["findings"])}


def _differences(view: View, findings: list[Item]) -> Table:
    def row(each: Item) -> Row:
        examples = [] if view.masked else [json.dumps(example, ensure_ascii=False) for example in each["examples"]]
        return Row(
            [
                Cell(each["level"].replace("-", " ")),
                Cell(f"{each['part']}: {each['what']} {each['how']}"),
                Cell(each["count"]),
                Cell(each["cause"]),
                Cell(each["advice"]),
                Cell("; ".join(examples) or None),
            ]
        )

    return Table(caption="Differences", columns=_COLUMNS, rows=rows_of(findings, row), empty="No difference.")


SCREEN = Screen(
    group="Segment",
    name="Upgrade",
    path="destinations/upgrade",
    template="segment/destination_upgrade",
    values=_values,
    under="destinations",
)
