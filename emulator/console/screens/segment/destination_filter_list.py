"""Filters of a destination: what they do in words, edited by title, and tried with a sample event."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from emulator.console.actions import Action
from emulator.console.control_api import ControlAPI, Refused
from emulator.console.screens.screen import Screen, Values
from emulator.console.screens.segment.destination_page import Item, asked, frame, is_enabled
from emulator.console.screens.workspace_parts import FIXES, path_of
from emulator.console.tables import Button, Cell, Row, Table, rows_of
from emulator.console.view import View

_LIST = "/_emulator/workspace/destinations/{destination}/filters"
_ONE = f"{_LIST}/{{name}}"
# A new filter of each kind, with Segment's words for it.
_KINDS: Final[Mapping[str, tuple[str, Item]]] = {
    "drop": (
        "Drop events",
        {"title": "Drop test users", "if": "contains(userId, 'test')", "actions": [{"type": "DROP"}]},
    ),
    "sample": (
        "Sample a percentage of events",
        {
            "title": "A quarter",
            "if": "type = 'track'",
            "actions": [{"type": "SAMPLE", "percent": 0.25, "path": "userId"}],
        },
    ),
    "only": (
        "Only allow specific properties",
        {
            "title": "Only the email",
            "if": "type = 'identify'",
            "actions": [{"type": "ALLOW_PROPERTIES", "fields": {"traits": ["email"]}}],
        },
    ),
    "without": (
        "Drop specific properties",
        {
            "title": "No phone",
            "if": "type = 'identify'",
            "actions": [{"type": "DROP_PROPERTIES", "fields": {"traits": ["phone"]}}],
        },
    ),
}
_SAMPLE: Final = {"type": "identify", "userId": "ada", "traits": {"email": "ada@example.com", "phone": "+15550100"}}


def _values(api: ControlAPI, view: View) -> Values:
    item = asked(api, view)
    framed = frame(api, view, item)
    if item is None:
        return framed
    filters: list[Item] = list(item.get("filters", ()))
    path = path_of("destinations", item["name"], "filters")
    edited = next((each for each in filters if each["title"] == view.get("filter")), None)
    new = _KINDS.get(view.get("new") or "", (None, None))[1]
    return {
        **framed,
        "path": path,
        "table": _table(view, item, filters),
        "kinds": {key: words for key, (words, _) in _KINDS.items()},
        "form": edited or new,
        "edited_path": path_of("destinations", item["name"], "filters", edited["title"]) if edited else None,
        **_tried(api, view, item),
    }


def _table(view: View, item: Item, filters: list[Item]) -> Table:
    def row(each: Item) -> Row:
        on = is_enabled(each)
        toggle = Button(
            label="Disable" if on else "Enable",
            action="change filter",
            path=path_of("destinations", item["name"], "filters", each["title"]),
            body={"enabled": not on},
        )
        return Row(
            [
                Cell(each["title"], view.here(filter=each["title"], new=None)),
                Cell(each["if"]),
                Cell("; ".join(_in_words(action) for action in each["actions"])),
                Cell("Enabled" if on else "Disabled"),
                Cell(None, button=toggle),
            ],
            selected=each["title"] == view.get("filter"),
        )

    return Table(
        caption="Filters",
        columns=("Name", "Only if", "Then", "Status", "Enabled"),
        rows=rows_of(filters, row),
        empty="No filter: every event reaches the mappings.",
    )


def _in_words(action: Item) -> str:
    kind = action["type"]
    if kind == "DROP":
        return "drop the event"
    if kind == "SAMPLE":
        by = f", all or none of the same {action['path']}" if action.get("path") else ""
        return f"keep {action['percent']:.0%} of the events{by}"
    names = ", ".join(f"{path or 'the event'}: {' '.join(names)}" for path, names in action["fields"].items())
    return f"{'keep only' if kind == 'ALLOW_PROPERTIES' else 'remove'} {names}"


def _tried(api: ControlAPI, view: View, item: Item) -> dict[str, Any]:
    """What each filter does with the event of the address. `problem` is why it cannot be tried."""
    text = view.get("event")
    if text is None:
        newest = api.get("deliveries", destination=item["name"], newest=True, limit=1)["deliveries"]
        return {"event": newest[0]["payload"] if newest else _SAMPLE, "tried": None}
    try:
        event = json.loads(text)
        body = {"event": event, "workspace": _with_a_mapping(api, item), "destination": item["name"]}
        found = api.post("explain", body)["explanations"][0]
    except (ValueError, RecursionError) as error:
        return {"event": text, "tried": None, "problem": {"message": f"The event is not JSON: {error}"}}
    except Refused as refused:
        return {"event": text, "tried": None, "problem": refused.error}
    return {"event": event, "tried": _steps(found), "stopped": found if found["stopped"] == "filter" else None}


def _with_a_mapping(api: ControlAPI, item: Item) -> dict[str, Any]:
    """The workspace with one mapping that is on: only those are explained, and filters are the same for all."""
    workspace: dict[str, Any] = api.get("workspace")["workspace"]
    mapping = {"name": "filters", "action": "forwardAudienceEvent", "trigger": 'type = "none"'}
    others = [each for each in workspace["destinations"] if each["name"] != item["name"]]
    return {**workspace, "destinations": [{**item, "enabled": True, "subscriptions": [mapping]}, *others]}


def _steps(found: Item) -> Table:
    def row(each: Item) -> Row:
        left = "drops the event" if each["dropped"] else ", ".join(each["removed"]) or None
        matched = {True: "yes", False: "no"}.get(each["matched"], "cannot be evaluated")
        return Row([Cell(each["filter"]), Cell(each["if"]), Cell(matched), Cell(left), Cell(each["message"])])

    return Table(
        caption="What the filters do with it",
        columns=("Filter", "Only if", "Matches", "Removes", "Message"),
        rows=rows_of(found["filters"], row),
        empty="No filter is enabled, or the event is stopped before them.",
    )


SCREEN = Screen(
    group="Segment",
    name="Filters",
    path="destinations/filters",
    template="segment/destination_filters",
    values=_values,
    actions=(
        *FIXES,
        Action("add filter", "POST", _LIST),
        Action("change filter", "PATCH", _ONE),
        Action("delete filter", "DELETE", _ONE),
    ),
    under="destinations",
)
