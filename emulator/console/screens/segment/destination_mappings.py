"""Mappings of a destination: switched on and off, duplicated, deleted, and added by the titles of the actions."""

from __future__ import annotations

from emulator.console.actions import Action
from emulator.console.control_api import ControlAPI
from emulator.console.screens.screen import Screen, Values
from emulator.console.screens.segment.destination_page import Item, asked, frame, is_enabled, unused
from emulator.console.screens.workspace_parts import FIXES, path_of
from emulator.console.tables import Button, Cell, Row, Table, rows_of
from emulator.console.view import View

_LIST = "/_emulator/workspace/destinations/{destination}/subscriptions"
_ONE = f"{_LIST}/{{name}}"


def _values(api: ControlAPI, view: View) -> Values:
    item = asked(api, view)
    framed = frame(api, view, item)
    if item is None:
        return framed
    names = {each["name"] for each in item["subscriptions"]}
    removed = view.get("delete")
    return {
        **framed,
        "path": path_of("destinations", item["name"], "subscriptions"),
        "add_label": _add_label(framed["entry"]),
        "table": _table(view, item, framed["entry"]),
        "offered": [{**each, "name": unused(each["title"], names)} for each in framed["entry"]["actions"]],
        "removed": removed if removed in names else None,
        "removed_path": path_of("destinations", item["name"], "subscriptions", removed or ""),
    }


def _add_label(entry: Item) -> str:
    """Segment's page renamed the button when the action *Sync Audience* came."""
    return "New Mapping" if entry["advertiserFrom"] == "mapping" else "Add mapping"


def _table(view: View, item: Item, entry: Item) -> Table:
    titles = {each["slug"]: each["title"] for each in entry["actions"]}
    names = {each["name"] for each in item["subscriptions"]}

    def row(each: Item) -> Row:
        name, on = each["name"], is_enabled(each)
        path = path_of("destinations", item["name"], "subscriptions", name)
        toggle = Button(
            label="Disable" if on else "Enable", action="change mapping", path=path, body={"enabled": not on}
        )
        copied = {**each, "name": unused(f"{name} copy", names), "enabled": False}
        copy = Button(
            label="Duplicate",
            action="add mapping",
            path=path_of("destinations", item["name"], "subscriptions"),
            body=copied,
        )
        return Row(
            [
                Cell(name, view.link("destinations/mapping", destination=item["name"], mapping=name)),
                Cell(titles.get(each["action"], f"{each['action']} (not in {entry['generation']})")),
                Cell(each["trigger"]),
                Cell("Enabled" if on else "Disabled"),
                Cell(None, button=toggle),
                Cell(None, button=copy),
                Cell("Delete", view.here(delete=name, new=None)),
            ]
        )

    return Table(
        caption="Mappings",
        columns=("Name", "Action", "Event trigger", "Status", "Enabled", "Copy", "Delete"),
        rows=rows_of(item["subscriptions"], row),
        empty="There is no mapping: nothing is sent.",
    )


SCREEN = Screen(
    group="Segment",
    name="Mappings",
    path="destinations/mappings",
    template="segment/destination_mappings",
    values=_values,
    actions=(
        *FIXES,
        Action("add mapping", "POST", _LIST),
        Action("change mapping", "PATCH", _ONE),
        Action("delete mapping", "DELETE", _ONE),
    ),
    under="destinations",
)
