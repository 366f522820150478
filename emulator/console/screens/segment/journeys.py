"""Journeys: their steps with the number of profiles in each, and who they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final
from urllib.parse import quote

from emulator.console.control_api import ControlAPI
from emulator.console.screens.screen import Screen, Values
from emulator.console.screens.segment.members import member_table
from emulator.console.tables import Cell, Row, Table, rows_of
from emulator.console.view import View
from emulator.yaml_files import dump_yaml

_EXAMPLE: Final = {
    "id": "welcome",
    "name": "Welcome",
    "entry": {"trait": "email", "operator": "exists"},
    "steps": [
        {"key": "welcome_joined", "name": "Joined"},
        {"key": "welcome_later", "name": "A day later", "wait": "1d"},
    ],
}


def _values(api: ControlAPI, view: View) -> Values:
    journeys = api.get("journeys")["journeys"]
    items = {each["id"]: each for each in api.get("workspace/journeys")["items"]}
    return {
        "journeys": [*_shown(journeys, items, view)],
        "example": view.curl("workspace/journeys", sent=_EXAMPLE),
        "members": _members(api, view, journeys),
    }


def _shown(journeys: list[Any], items: Mapping[str, Any], view: View) -> Iterator[dict[str, Any]]:
    for journey in journeys:
        table = Table(
            caption=f"{journey['name']} ({journey['size']})",
            columns=("Step", "Key", "Wait", "Condition", "Entered", "Destinations", "Warnings"),
            rows=rows_of(journey["steps"], partial(_step, journey["id"], view)),
            empty="The journey has no step.",
        )
        item = items.get(journey["id"])
        yield {"journey": journey, "table": table, "yaml": dump_yaml({"journeys": [item]}) if item else None}


def _step(journey: str, view: View, step: Mapping[str, Any]) -> Row:
    return Row(
        [
            Cell(step["name"], view.link("journeys", journey=journey, step=step["key"])),
            Cell(step["key"]),
            Cell(step["wait"]),
            Cell(step["conditionText"]),
            Cell(step["size"]),
            Cell(", ".join(step["destinations"]) or "none"),
            Cell(" ".join(step["warnings"])),
        ],
        selected=(journey, step["key"]) == (view.get("journey"), view.get("step")),
    )


def _members(api: ControlAPI, view: View, journeys: list[Any]) -> Table | None:
    """Who is in the step that the address names."""
    chosen = [
        step
        for journey in journeys
        for step in journey["steps"]
        if (journey["id"], step["key"]) == (view.get("journey"), view.get("step"))
    ]
    if not chosen:
        return None
    journey, step = (quote(view.get(name) or "", safe="") for name in ("journey", "step"))
    caption = f"People in {chosen[0]['name']} ({chosen[0]['size']})"
    return member_table(api, view, f"journeys/{journey}/steps/{step}/members", caption)


SCREEN = Screen(group="Segment", name="Journeys", path="journeys", template="segment/journeys", values=_values)
