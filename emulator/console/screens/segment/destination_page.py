"""What the pages of a destination instance share: which one is asked for, the links between them, its findings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import count
from typing import Any, Final
from urllib.parse import quote

from emulator.console.control_api import ControlAPI
from emulator.console.screens.finding_fixes import Findings
from emulator.console.screens.workspace_parts import below
from emulator.console.tables import Cell, Row, Table, rows_of
from emulator.console.view import View
from emulator.yaml_files import dump_yaml

Item = Mapping[str, Any]

ARGUMENT: Final = "destination"
_TABS: Final = {
    "destinations": "Settings",
    "destinations/mappings": "Mappings",
    "destinations/filters": "Filters",
    "destinations/delivery": "Delivery Overview",
    "destinations/upgrade": "Upgrade",
}


def tool(name: str, *rest: str) -> str:
    """The path of what Segment offers for a destination instance, below `/_emulator/`."""
    return "/".join(("destinations", quote(name, safe=""), *rest))


def asked(api: ControlAPI, view: View) -> Item | None:
    """The destination instance of the address; None without one. Raises Refused for an unknown one."""
    name = view.get(ARGUMENT)
    if name is None:
        return None
    item: Item = api.get(below("destinations", name))["item"]
    return item


def frame(api: ControlAPI, view: View, item: Item | None) -> dict[str, Any]:
    """What `segment/destination.html` shows around a page: the tabs, or the destination instances to choose from."""
    if item is None:
        return {"destination": None, "choose": _choice(api, view)}
    entry = entry_of(api, item)
    return {
        "destination": item,
        "tabs": [
            (name, view.link(path, destination=item["name"]), path == view.screen) for path, name in _TABS.items()
        ],
        "entry": entry,
        "findings": findings(api, view, item),
        "workspace_yaml": dump_yaml({"destinations": [item]}),
    }


def entry_of(api: ControlAPI, item: Item) -> Item:
    """The entry of the catalog for its generation; the newest one's for an unknown generation."""
    entries: list[Item] = api.get("catalog")["destinations"]
    wanted = item.get("generation")
    return next((each for each in entries if each["generation"] == wanted), entries[0])


def api_version_of(api: ControlAPI, view: View) -> str:
    """StackAdapt's API version in the sandbox."""
    found: str = api.get(f"sandboxes/{view.sandbox}")["apiVersion"]
    return found


def findings(api: ControlAPI, view: View, item: Item) -> Table:
    """What lint finds in a destination instance, each with what to do as a button or a link."""
    found = api.get("workspace/destinations")
    names = [each["name"] for each in found["items"]]
    place = f"destinations[{names.index(item['name'])}]"
    workspace = {"destinations": found["items"], "audiences": api.get("workspace/audiences")["items"]}
    fixes = Findings(view=view, workspace=workspace, catalog=api.get("catalog")["destinations"])

    def row(finding: Item) -> Row:
        cells = (Cell(finding.get(name)) for name in ("severity", "message", "why", "fix"))
        return Row([*cells, fixes.fix(finding)])

    return Table(
        caption="Findings",
        columns=("Severity", "Finding", "Why", "What to do", "Do it"),
        rows=rows_of(at_place(found["findings"], place), row),
        empty="Nothing is wrong with this destination.",
    )


def at_place(found: Iterable[Item], place: str) -> list[Item]:
    """The findings at a place of the workspace or inside of it."""
    return [each for each in found if f"{each['place']}.".startswith(f"{place}.")]


def is_enabled(item: Item) -> bool:
    """Whether a destination, mapping or filter is on: it is unless it says otherwise."""
    return item.get("enabled") is not False


def unused(name: str, names: set[Any]) -> str:
    """The name itself, or the first with a number that is not used yet."""
    return next(each for number in count(1) if (each := name if number == 1 else f"{name} {number}") not in names)


def _choice(api: ControlAPI, view: View) -> Table:
    return Table(
        caption="Choose a destination",
        columns=("Name", "Generation"),
        rows=rows_of(
            api.get("workspace/destinations")["items"],
            lambda each: Row([Cell(each["name"], view.here(destination=each["name"])), Cell(each.get("generation"))]),
        ),
        empty="There is no destination.",
        fill=view.curl(below("destinations"), sent=EXAMPLE),
    )


EXAMPLE: Final = {"name": "StackAdapt", "settings": {"apiKey": "TOKEN", "advertiser_id": "1001"}, "subscriptions": []}
