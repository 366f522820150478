"""Mapping: the steps *Define event trigger*, *Map fields* and *Send test event* of one mapping, and *Save*.

The page has the texts of the trigger, the mapping and the event. `static/mapping.js` shows them as conditions and
fields, which the control API makes of the texts; the form saves what the texts say.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from emulator.console.actions import Action
from emulator.console.control_api import ControlAPI
from emulator.console.screens.finding_fixes import Findings, name_of
from emulator.console.screens.screen import Screen, Values
from emulator.console.screens.segment.destination_page import at_place, is_enabled
from emulator.console.screens.workspace_parts import FIXES, REPLAY, SAVE_MAPPING
from emulator.console.tables import Button, Cell, Row, Table, rows_of
from emulator.console.view import Address, View

_RECENT = 20
# As many as one request replays.
_MOST_REFUSED = 10_000
_MAPPINGS = "destinations/mappings"
# Where the words of the form are those of 2024.
_IN_MAPPING = "mapping"
_ADVERTISER = "advertiser_id"
# How an event in the address begins; a message id does not.
_OBJECT = "{"


def _values(api: ControlAPI, view: View) -> Values:
    destination, name = view.get("destination"), view.get("mapping")
    if destination is None or name is None:
        return {"table": _all_mappings(api, view), "item": None}
    own = f"destinations/{quote(destination, safe='')}"
    saved = f"workspace/{own}/subscriptions/{quote(name, safe='')}"
    item = api.get(saved)["item"]
    definition = api.get(f"{own}/fields")
    action = next((each for each in definition["actions"] if each["slug"] == item["action"]), None)
    event, problem = _event(api, view.get("event"))
    body = {"subscription": item, **({} if event is None else {"event": event})}
    checked = api.post(f"{own}/check", body)
    fields = action["fields"] if action else []
    return {
        "item": item,
        "destination": destination,
        "definition": definition,
        "action": action,
        "in_mapping": definition["advertiserFrom"] == _IN_MAPPING,
        "fields": sorted((each for each in fields if not each["hidden"]), key=lambda each: each["key"] != _ADVERTISER),
        "hidden_fields": [each for each in fields if each["hidden"]],
        "checked": checked,
        "errors": _errors(api, view, destination, name),
        "refused": _refused(api, destination, item) if view.get("saved") else None,
        "event_problem": problem,
        "recent": {} if view.masked else _recent(api, destination),
        "samples": [each["name"] for each in api.get(f"{own}/samples")["samples"]],
        "paths": {"own": f"/_emulator/{own}", "saved": f"/_emulator/{saved}"},
        "links": _links(view, destination),
        # The script of the form puts the name of the answer in: it may be a new one.
        "after_save": f"{view.here(mapping=None, saved='on')}&mapping={{item/name}}",
    }


def _errors(api: ControlAPI, view: View, destination: str, name: str) -> list[tuple[str, Cell]]:
    """What is wrong with the saved mapping: the message of each error, and its button or link."""
    found = api.get("workspace/destinations")
    items = found["items"]
    number, item = next((n, each) for n, each in enumerate(items) if each["name"] == destination)
    inner = next(n for n, each in enumerate(item["subscriptions"]) if name_of(each) == name)
    errors = at_place(found["findings"], f"destinations[{number}].subscriptions[{inner}]")
    workspace = {"destinations": items, "audiences": api.get("workspace/audiences")["items"]}
    fixes = Findings(view=view, workspace=workspace, catalog=api.get("catalog")["destinations"])
    return [(each["message"], fixes.fix(each)) for each in errors if each["severity"] == "error"]


def _refused(api: ControlAPI, destination: str, item: Mapping[str, Any]) -> tuple[int, Button] | None:
    """How many people have events that this mapping refused or whose requests failed, and the button that sends them
    again; None where it has none, or would send nothing.
    """
    if not is_enabled(item):
        return None
    found = api.get("dead-letters", destination=destination, limit=_MOST_REFUSED)["deadLetters"]
    own = [each for each in found if each["subscription"] == name_of(item)]
    if not own:
        return None
    people = {each["userId"] or each["messageId"] for each in own}
    body = {"destination": destination, "messageIds": [*dict.fromkeys(each["messageId"] for each in own)]}
    return len(people), Button(label="Send them again", action=REPLAY.name, body=body)


def _links(view: View, destination: str) -> dict[str, Address]:
    return {
        "mappings": view.link(_MAPPINGS, destination=destination),
        "settings": view.link("destinations", destination=destination),
        "delivery": view.link("destinations/delivery", destination=destination),
        "filters": view.link("destinations/filters", destination=destination),
        "reasons": view.link("reasons"),
    }


def _event(api: ControlAPI, message: str | None) -> tuple[dict[str, Any] | None, str | None]:
    """The event with a message id, or the one in the address as JSON; in place of it why there is none."""
    if message is None:
        return None, None
    if message.startswith(_OBJECT):
        try:
            return json.loads(message), None
        except (ValueError, RecursionError) as error:
            return None, f"The event in the address is not JSON ({error})"
    delivered = api.get("deliveries", messageId=message, limit=1)["deliveries"]
    called = api.get("calls", messageId=message, content=True, limit=1)["calls"]
    found = [each["payload"] for each in delivered] + [each["content"] for each in called if each["content"]]
    return (found[0], None) if found else (None, f"No event for a destination has the message id {message}")


def _recent(api: ControlAPI, destination: str) -> dict[str, list[dict[str, str]]]:
    """The newest events for a destination instance and the newest calls of its space, each once."""
    sent = api.get("deliveries", destination=destination, newest=True, limit=_RECENT)["deliveries"]
    calls = api.get("calls", before="newest", accepted=True, limit=_RECENT)["calls"]
    return {
        "For this destination": list(_options(sent, "type", "deliveries", "payload")),
        "Calls of sources": list(_options(calls, "call", "calls", "content")),
    }


def _options(items: Sequence[Mapping[str, Any]], kind: str, part: str, member: str) -> Iterator[dict[str, str]]:
    """Each message once; `part` of the control API has it, and `member` of its entry the event."""
    seen: set[str] = set()
    for each in items:
        message = str(each.get("messageId") or "")
        if message and message not in seen:
            seen.add(message)
            what = " ".join(str(each[key]) for key in (kind, "event", "userId") if each.get(key))
            yield {"message": message, "label": f"{each.get('at')} {what}", "part": part, "member": member}


def _all_mappings(api: ControlAPI, view: View) -> Table:
    found = api.get("workspace/destinations")["items"]
    pairs = [(each.get("name"), item) for each in found for item in each.get("subscriptions", ())]

    def row(pair: tuple[str, Mapping[str, Any]]) -> Row:
        destination, item = pair
        name = item.get("name", item["action"])
        cells = (Cell(name, view.here(destination=destination, mapping=name)), Cell(destination))
        return Row([*cells, Cell(item["trigger"]), Cell("Enabled" if item.get("enabled", True) else "Disabled")])

    return Table(
        caption="Mappings",
        columns=("Name", "Destination", "Trigger", "Status"),
        rows=rows_of(pairs, row),
        empty="No destination has a mapping.",
        fill=view.curl(
            "workspace/destinations/DESTINATION/subscriptions",
            sent={"action": "forwardAudienceEvent", "trigger": 'type = "identify" or type = "track"'},
        ),
    )


SCREEN = Screen(
    group="Segment",
    name="Mapping",
    path="destinations/mapping",
    template="segment/mapping",
    values=_values,
    actions=(
        *FIXES,
        REPLAY,
        Action("delete mapping", "DELETE", SAVE_MAPPING.path),
        Action("send test event", "POST", "/_emulator/destinations/{destination}/subscriptions/{subscription}/test"),
    ),
    script="mapping",
    under="destinations",
)
