"""Destinations: the list, and the settings of one with *Test connection*, *Enable Destination* and *Save Changes*."""

from __future__ import annotations

from typing import Any

from emulator.console.actions import Action
from emulator.console.control_api import ControlAPI
from emulator.console.screens.developer.reasons import reason_link
from emulator.console.screens.finding_fixes import to_engage
from emulator.console.screens.screen import Screen, Values
from emulator.console.screens.segment.destination_page import (
    EXAMPLE,
    Item,
    api_version_of,
    asked,
    at_place,
    frame,
    is_enabled,
    tool,
)
from emulator.console.screens.workspace_parts import CHANGE, FIXES, below, path_of
from emulator.console.tables import Cell, Row, Table, rows_of
from emulator.console.view import View

# As StackAdapt's page calls it.
_LABELS = {"apiKey": "StackAdapt GraphQL API token"}
_ADVERTISER = "advertiser_id"


def _values(api: ControlAPI, view: View) -> Values:
    item = asked(api, view)
    if item is None:
        return {"destination": None, "choose": _list(api, view)}
    workspace = api.get("workspace")["workspace"]
    framed, catalog = frame(api, view, item), api.get("catalog")["destinations"]
    # StackAdapt is asked, which is a request in its journal.
    is_asked = view.get("new") or any(each["key"] == _ADVERTISER for each in framed["entry"]["settings"])
    offered: Item = api.get(tool(item["name"], "choices", _ADVERTISER)) if is_asked else {}
    settings = _settings(item, framed["entry"], offered)
    return {
        **framed,
        "path": path_of("destinations", item["name"]),
        "test_path": f"/_emulator/{tool(item['name'], 'test')}",
        "catalog": catalog,
        "api_version": api_version_of(api, view),
        "settings": settings,
        "tokens": [(each["name"], each["token"]) for each in workspace["tokens"]],
        "sources": [each["name"] for each in workspace.get("sources", ())],
        "rejects_source": bool(item.get("source")) and not framed["entry"]["sourceCalls"],
        "to_engage": to_engage(item),
        "controls": _controls(workspace, item),
        "audiences": _audiences(view, item),
        "checklist": _checklist(view, item, settings, offered) if view.get("new") else None,
    }


def _checklist(view: View, item: Item, settings: list[dict[str, Any]], offered: Item) -> list[tuple[bool, Cell]]:
    """The steps of a new destination instance in order, each with whether it is done.

    `offered` are the advertisers to which its token may write: the connection test asks for the same.
    """
    name, values = item["name"], [each["value"] for each in offered["choices"]]
    chosen = [each["value"] for each in settings if each["key"] == _ADVERTISER]
    is_set = bool(values) and all(each in values for each in chosen)
    return [
        (True, Cell("Source and name")),
        (is_set, Cell("Enter the settings and test the connection")),
        (is_enabled(item), Cell("Enable Destination, Save Changes")),
        (
            any(map(is_enabled, item["subscriptions"])),
            Cell("Add a mapping and enable it", view.link("destinations/mappings", destination=name, new="on")),
        ),
        (bool(item["audiences"]), Cell("Add the destination to an audience", view.link("audiences"))),
    ]


def _list(api: ControlAPI, view: View) -> Table:
    found = api.get(below("destinations"))
    places = {each["name"]: f"destinations[{number}]" for number, each in enumerate(found["items"])}

    def row(item: Item) -> Row:
        name, subscriptions = item["name"], item["subscriptions"]
        on = sum(is_enabled(each) for each in subscriptions)
        last: Item = next(iter(api.get("deliveries", destination=name, newest=True, limit=1)["deliveries"]), {})
        wrong = [each["severity"] for each in at_place(found["findings"], places[name])]
        return Row(
            [
                Cell(name, view.here(destination=name)),
                Cell(item.get("generation") or "newest"),
                Cell(item.get("source") or "Engage space"),
                Cell("Enabled" if is_enabled(item) else "Disabled"),
                Cell(f"{on} of {len(subscriptions)} enabled", view.link("destinations/mappings", destination=name)),
                Cell(", ".join(each["key"] for each in item["audiences"]) or "none"),
                Cell(last.get("outcome") or "none yet", view.link("destinations/delivery", destination=name)),
                Cell(last.get("reason"), reason_link(view, last.get("reason")), reason=True),
                Cell(_counted(wrong), view.here(destination=name)),
            ]
        )

    columns = ("Name", "Generation", "Source", "Status", "Mappings", "Audiences", "Last delivery", "Reason", "Findings")
    return Table(
        caption="Destinations",
        columns=columns,
        rows=rows_of(found["items"], row),
        empty="There is no destination: an audience has nowhere to go.",
        fill=view.curl(below("destinations"), sent=EXAMPLE),
    )


def _counted(severities: list[str]) -> str:
    kinds = ((severities.count(each), each) for each in ("error", "warning", "note"))
    return ", ".join(f"{count} {kind}{'' if count == 1 else 's'}" for count, kind in kinds if count) or "none"


def _settings(item: Item, entry: Item, offered: Item) -> list[dict[str, Any]]:
    """Each setting of the definition with its value; `offered` are the advertisers, or the error in their place."""
    return [
        {
            **each,
            "label": _LABELS.get(each["key"], each["label"]),
            "value": item["settings"].get(each["key"], ""),
            "is_missing": each["required"] and not item["settings"].get(each["key"]),
            "offered": offered if each["key"] == _ADVERTISER else None,
        }
        for each in entry["settings"]
    ]


def _controls(workspace: Item, item: Item) -> dict[str, Any] | None:
    """What the source of a destination instance keeps back before it; None without a source."""
    source = next((each for each in workspace.get("sources", ()) if each["name"] == item.get("source")), None)
    if source is None:
        return None
    plans = {each["name"]: each for each in workspace.get("trackingPlans", ())}
    return {"source": source, "schema": source.get("schema"), "plan": plans.get(source.get("trackingPlan"))}


def _audiences(view: View, item: Item) -> Table:
    def row(each: Item) -> Row:
        switches = ("on" if each.get(name) is not False else "off" for name in ("sendTrack", "sendIdentify"))
        return Row([Cell(each["key"], view.link("audiences", audience=each["key"])), *map(Cell, switches)])

    return Table(
        caption="Audiences that are sent to it",
        columns=("Audience", "Send Track", "Send Identify"),
        rows=rows_of(item["audiences"], row),
        empty="No audience is sent to it: select one under Audiences, and add this destination there.",
    )


SCREEN = Screen(
    group="Segment",
    name="Destinations",
    path="destinations",
    template="segment/destinations",
    values=_values,
    actions=(
        *FIXES,
        Action("delete destination", "DELETE", CHANGE.path),
        Action("test connection", "POST", "/_emulator/destinations/{destination}/test"),
    ),
    script="destinations",
)
