"""What the pages of a destination instance share: which one is asked for, the links between them, its findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import count
from typing import Any, Final
from urllib.parse import quote

from emulator.console.actions import Action
from emulator.console.control_api import ControlAPI
from emulator.console.tables import Button, Cell, Row, Table, rows_of
from emulator.console.view import View
from emulator.yaml_files import dump_yaml

Item = Mapping[str, Any]

ARGUMENT: Final = "destination"
CHANGE: Final = Action("change destination", "PATCH", "/_emulator/workspace/{part}/{name}")
CHANGE_WORKSPACE: Final = Action("change workspace", "PATCH", "/_emulator/workspace")
FIXES: Final = (CHANGE, CHANGE_WORKSPACE)
_TABS: Final = {
    "destinations": "Settings",
    "destinations/mappings": "Mappings",
    "destinations/filters": "Filters",
    "destinations/delivery": "Delivery Overview",
}


def below(*names: str) -> str:
    """The path of a part of the workspace, below `/_emulator/`: `destinations`, a name, a list of it, a name in it."""
    return "/".join(("workspace", *(quote(name, safe="") for name in names)))


def path_of(*names: str) -> str:
    """The whole path, for an action."""
    return f"/_emulator/{below(*names)}"


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
        "findings": findings(api, view, item, entry),
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


def findings(api: ControlAPI, view: View, item: Item, entry: Item) -> Table:
    """What lint finds in a destination instance, each with what to do as a button or a link where there is one."""
    found = api.get("workspace/destinations")
    names = [each["name"] for each in found["items"]]
    place = f"destinations[{names.index(item['name'])}]"

    def row(finding: Item) -> Row:
        fix = _FIXES.get(finding["code"], _no_fix)(view, item, entry, finding)
        cells = (Cell(finding.get(name)) for name in ("severity", "message", "why", "fix"))
        return Row([*cells, fix])

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

# What a click does about a finding, by its code.
Fix = Callable[[View, Item, Item, Item], Cell]


def _no_fix(_view: View, _item: Item, _entry: Item, _finding: Item) -> Cell:
    return Cell(None)


def _enable(_view: View, item: Item, _entry: Item, _finding: Item) -> Cell:
    button = Button(
        label="Enable Destination",
        action=CHANGE.name,
        path=path_of("destinations", item["name"]),
        body={"enabled": True},
    )
    return Cell(None, button=button)


def to_engage(item: Item) -> Button:
    """Takes the source from a destination instance: audiences are left."""
    path = path_of("destinations", item["name"])
    return Button(label="Set source to Engage space", action=CHANGE.name, path=path, body={"source": None})


def _to_engage(_view: View, item: Item, _entry: Item, _finding: Item) -> Cell:
    return Cell(None, button=to_engage(item))


def _to_mappings(view: View, item: Item, _entry: Item, _finding: Item) -> Cell:
    new = None if item["subscriptions"] else "on"
    return Cell(
        "New Mapping" if new else "Mappings", view.link("destinations/mappings", destination=item["name"], new=new)
    )


def _to_new_mapping(view: View, item: Item, _entry: Item, _finding: Item) -> Cell:
    return Cell("New Mapping", view.link("destinations/mappings", destination=item["name"], new="on"))


def _to_audiences(view: View, _item: Item, _entry: Item, _finding: Item) -> Cell:
    return Cell("Audiences", view.link("audiences"))


def _to_settings(view: View, item: Item, _entry: Item, _finding: Item) -> Cell:
    return Cell("Settings", view.link("destinations", destination=item["name"]))


def _to_filters(view: View, item: Item, _entry: Item, _finding: Item) -> Cell:
    return Cell("Filters", view.link("destinations/filters", destination=item["name"]))


def _use_api_version(_view: View, _item: Item, entry: Item, _finding: Item) -> Cell:
    def button(version: str) -> Button:
        return Button(label=f"Use API version {version}", action=CHANGE_WORKSPACE.name, body={"apiVersion": version})

    return Cell(None, parts=[Cell(None, button=button(version)) for version in entry["apiVersions"]])


def _to_mapping(view: View, item: Item, entry: Item, finding: Item) -> Cell:
    """The editor of the mapping that the place names: `destinations[0].subscriptions[1].trigger`."""
    number = finding["place"].partition("subscriptions[")[2].partition("]")[0]
    if not number.isdecimal():
        return _to_settings(view, item, entry, finding)
    name = item["subscriptions"][int(number)]["name"]
    return Cell("Edit mapping", view.link("destinations/mapping", destination=item["name"], mapping=name))


_FIXES: Final[Mapping[str, Fix]] = {
    "D004": _enable,
    "D005": _to_mappings,
    "D006": _to_mappings,
    "D007": _to_audiences,
    "D008": _to_audiences,
    "S003": _to_settings,
    "S004": _to_settings,
    "S005": _to_settings,
    "S006": _to_settings,
    "S007": _use_api_version,
    **dict.fromkeys(("F004", "F005"), _to_engage),
    **dict.fromkeys(("F001", "F002", "F003"), _to_filters),
    **dict.fromkeys(("S001", "S002"), _to_mapping),
    **dict.fromkeys((f"{group}{number:03}" for group in "TM" for number in range(1, 12)), _to_mapping),
    "M006": _to_new_mapping,
}
