"""Add Destination: source, name and generation; the settings of the new, disabled destination are the next page."""

from __future__ import annotations

from emulator.console.actions import Action
from emulator.console.control_api import ControlAPI
from emulator.console.examples import new_write_key
from emulator.console.screens.screen import Screen, Values
from emulator.console.screens.segment.destination_page import api_version_of, unused
from emulator.console.view import View

_ADD_PATH = "/_emulator/workspace/{part}"


def _values(api: ControlAPI, view: View) -> Values:
    workspace = api.get("workspace")["workspace"]
    entries = api.get("catalog")["destinations"]
    version = api_version_of(api, view)
    fitting = [each["generation"] for each in entries if version in each["apiVersions"]]
    names = {each["name"] for each in workspace.get("destinations", ())}
    return {
        "entries": entries,
        "chosen": view.get("generation") or next(iter(fitting), None),
        "fitting": fitting,
        "api_version": version,
        "sources": [each["name"] for each in workspace.get("sources", ())],
        "space": workspace.get("space", {}).get("name") or "Engage",
        "write_key": new_write_key(workspace.get("sources", ())),
        "suggested": unused("StackAdapt", names),
    }


SCREEN = Screen(
    group="Segment",
    name="Add Destination",
    path="destinations/new",
    template="segment/destination_new",
    values=_values,
    actions=(Action("add destination", "POST", _ADD_PATH), Action("add source", "POST", _ADD_PATH)),
    under="destinations",
)
