"""Snapshots: the state of a sandbox as a file, other sandboxes, and profiles as files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.console.actions import Action
from emulator.console.control_api import ControlAPI
from emulator.console.screens.screen import Screen, Values
from emulator.console.tables import Cell, Row, Table, rows_of
from emulator.console.view import View
from emulator.protocol import DEFAULT_SANDBOX


def _values(api: ControlAPI, view: View) -> Values:
    found = api.get("sandboxes")["sandboxes"]
    return {
        "sandboxes_table": Table(
            caption=f"Sandboxes ({len(found)})",
            columns=("Name", "Seed", ""),
            rows=rows_of(found, lambda item: _row(item, view)),
            empty="There is no sandbox.",
        ),
        "advertisers": api.get(f"sandboxes/{view.sandbox}")["advertisers"],
        "created": view.link("snapshots", sandbox="{name}"),
        "is_default": view.sandbox == DEFAULT_SANDBOX,
        "default": view.link("snapshots", sandbox=DEFAULT_SANDBOX),
        "save_command": _command("save", view),
        "load_command": _command("load", view),
        "export_curl": view.curl("profiles/export", format="csv"),
    }


def _command(verb: str, view: View) -> str:
    return f"stackadapt-emulator snapshot {verb} --url {view.root} --sandbox {view.sandbox} before.snapshot.gz"


def _row(item: Mapping[str, Any], view: View) -> Row:
    here = item["name"] == view.sandbox
    switch = Cell("this one") if here else Cell("Switch to it", view.link("snapshots", sandbox=item["name"]))
    return Row(
        [Cell(item["name"]), Cell(item["seed"]), Cell(item["error"]) if "error" in item else switch], selected=here
    )


SCREEN = Screen(
    group="Developer",
    name="Snapshots",
    path="snapshots",
    template="developer/snapshots",
    values=_values,
    actions=(
        Action("save snapshot", "GET", "/_emulator/snapshot"),
        Action("load snapshot", "PUT", "/_emulator/snapshot"),
        Action("create sandbox", "POST", "/_emulator/sandboxes"),
        Action("delete sandbox", "DELETE", "/_emulator/sandboxes/{name}"),
        Action("export profiles", "GET", "/_emulator/profiles/export"),
        Action("import profiles", "POST", "/_emulator/profiles/import"),
    ),
)
