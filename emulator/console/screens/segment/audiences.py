"""Audiences: those of the Engage space with their members, and what connects them to destination instances."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, Final
from urllib.parse import quote

from emulator.artefacts import contract_text
from emulator.console.actions import Action
from emulator.console.control_api import ControlAPI
from emulator.console.screens.finding_fixes import Findings
from emulator.console.screens.screen import Screen, Values
from emulator.console.screens.segment.audience_computed import after_computing, computed, without_result
from emulator.console.screens.segment.audience_connections import connection_of, other_audiences, problems
from emulator.console.screens.segment.members import member_table
from emulator.console.screens.workspace_parts import FIXES
from emulator.console.tables import Cell, Row, Table, rows_of
from emulator.console.view import View
from emulator.yaml_files import dump_yaml

Json = Mapping[str, Any]
_EXAMPLE: Final = {
    "key": "vip_customers",
    "id": "aud_vip_customers",
    "name": "VIP Customers",
    "condition": {
        "all": [
            {"trait": "total_spent", "operator": "at_least", "value": 500},
            {"trait": "email", "operator": "exists"},
        ]
    },
}
# The argument `connect` before a destination instance is chosen.
_CHOOSE: Final = "choose"
# By their JSON in the select; absent is the default setup.
_EMAILS: Final = {None: "", True: '"last"', "last": '"last"', "first": '"first"', "all": '"all"', False: "false"}


def _values(api: ControlAPI, view: View) -> Values:
    audiences = api.get("audiences")["audiences"]
    key = view.get("audience")
    chosen = next((each for each in audiences if each["key"] == key), None)
    return {
        "table": _table(view, audiences),
        "key": key,
        "selected": _selected(api, view, chosen) if chosen else None,
        "form": _form(api, view, chosen),
        "operators": _operators(),
    }


def _table(view: View, audiences: list[Any]) -> Table:
    return Table(
        caption="Audiences",
        columns=("Name", "Key", "Id", "Condition", "Size", "Computed", "Destinations", "Warnings"),
        rows=rows_of(audiences, lambda item: _row(item, view)),
        empty="The workspace has no audience.",
        fill=view.curl("workspace/audiences", sent=_EXAMPLE),
    )


def _row(item: Json, view: View) -> Row:
    return Row(
        [
            Cell(item["name"], view.link("audiences", audience=item["key"])),
            Cell(item["key"]),
            Cell(item["id"]),
            Cell(item["conditionText"]),
            Cell(item["size"]),
            Cell(item["computation"]),
            Cell(", ".join(item["destinations"]) or "none"),
            Cell(len(item["warnings"]) or ""),
        ],
        selected=item["key"] == view.get("audience"),
    )


def _selected(api: ControlAPI, view: View, audience: Json) -> dict[str, Any]:
    key = audience["key"]
    answer = api.get("workspace/destinations", mask=True)
    destinations = answer["items"]
    fixes = Findings(view=view, workspace={"destinations": destinations}, catalog=api.get("catalog")["destinations"])
    item = api.get(f"workspace/audiences/{quote(key, safe='')}")["item"]
    connect = next((each for each in destinations if each["name"] == view.get("connect")), None)
    connected = [each for each in destinations if connection_of(each, key)]
    return {
        "audience": audience,
        "path": f"/_emulator/audiences/{quote(key, safe='')}",
        "item_path": f"/_emulator/workspace/audiences/{quote(key, safe='')}",
        "problems": [*problems(audience, item, answer["findings"], fixes)],
        "connections": [_connection(each, key, connection_of(each, key) or {}, view) for each in connected],
        "unconnected": [(name, view.here(connect=name, saved=None)) for name in _names(destinations, connected)],
        "add": view.here(connect=_CHOOSE, saved=None),
        "choosing": view.get("connect") == _CHOOSE,
        "connect": _connection(connect, key, {"sendTrack": False}, view) if connect else None,
        "after_computing": after_computing(view),
        "computed": computed(view, audience, item, [each["name"] for each in connected]),
        "saved": view.get("saved") if view.get("saved") in [each["name"] for each in connected] else None,
        "yaml": dump_yaml({"audiences": [item]}),
        "members": member_table(api, view, f"audiences/{quote(key, safe='')}/members", f"Members ({audience['size']})"),
    }


def _names(destinations: list[Json], without: list[Json]) -> list[str]:
    return [each["name"] for each in destinations if each not in without]


def _connection(destination: Json, key: str, connection: Json, view: View) -> dict[str, Any]:
    """What the form of a connection needs: `base` is the array that it changes, `at` the connection's place in it."""
    name = destination["name"]
    others = other_audiences(destination, key)
    path = f"/_emulator/workspace/destinations/{quote(name, safe='')}"
    traits = connection.get("traits", [])
    shown = {"sendTrack", "sendIdentify", "email", "traits", "key"}
    kept = {name: value for name, value in connection.items() if name not in shown}
    return {
        "name": name,
        "enabled": destination.get("enabled", True),
        "link": view.link("destinations", destination=name),
        "delivery": view.link("destinations/delivery", destination=name),
        "path": path,
        "base": [*others, {"key": key, **kept}],
        "others": others,
        "at": f"audiences/[{len(others)}]",
        "track": connection.get("sendTrack", True),
        "identify": connection.get("sendIdentify", True),
        "email": _EMAILS[connection.get("email")],
        "renamed": isinstance(traits, Mapping),
        "traits": traits,
        "next": without_result(view, connect=None, saved=name),
        "yaml": dump_yaml({"destinations": [{"name": name, "audiences": [{"key": key, **connection}]}]}),
    }


def _form(api: ControlAPI, view: View, chosen: Json | None) -> dict[str, Any] | None:
    """The form of a new audience, or of the chosen one."""
    if view.get("edit") and chosen:
        item = api.get(f"workspace/audiences/{quote(chosen['key'], safe='')}")["item"]
        return {"item": item, "close": view.here(edit=None), "next": view.here(edit=None), "new": False}
    if view.get("new"):
        close = view.here(new=None)
        return {"item": {}, "close": close, "next": view.link("audiences", audience="{item/key}"), "new": True}
    return None


@cache
def _operators() -> tuple[str, ...]:
    """The operators of a condition on a trait."""
    schema = json.loads(contract_text("workspace.schema.json"))
    return tuple(schema["$defs"]["traitCondition"]["properties"]["operator"]["enum"])


SCREEN = Screen(
    group="Segment",
    name="Audiences",
    path="audiences",
    template="segment/audiences",
    values=_values,
    script="audiences",
    actions=(
        Action("create audience", "POST", "/_emulator/workspace/{part}"),
        *FIXES,
        Action("delete audience", "DELETE", "/_emulator/workspace/{part}/{name}"),
        Action("connect audience", "PATCH", "/_emulator/workspace/{part}/{name}"),
        Action("enter audience", "POST", "/_emulator/audiences/{audienceKey}/enter"),
        Action("exit audience", "POST", "/_emulator/audiences/{audienceKey}/exit"),
        Action("compute audience", "POST", "/_emulator/audiences/{audienceKey}/compute"),
    ),
)
