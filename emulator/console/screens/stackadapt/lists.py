"""Lists: StackAdapt's profile lists, and who is on one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.console.control_api import ControlAPI
from emulator.console.screens.screen import Screen, Values
from emulator.console.screens.stackadapt.group import GROUP, PAGE, advertisers_of, pages
from emulator.console.tables import Cell, Row, Table, rows_of
from emulator.console.view import View

_CREATE = 'mutation { createProfileList(input: {advertiserId: "1001", name: "VIPs"}) { userErrors { message } } }'


def _values(api: ControlAPI, view: View) -> Values:
    chosen = view.get("list")
    asked = {"advertiserId": view.get("advertiser"), "limit": PAGE + 1}
    found = api.get("lists", **asked, offset=0 if chosen else view.number("offset"))["lists"]
    table = Table(
        caption="Lists",
        columns=("Name", "Advertiser", "Profiles", "Addresses", "Filled by", "Changed"),
        rows=rows_of(found[:PAGE], lambda item: _row(item, view)),
        empty="No list has been created.",
        fill=_curl(view),
        **({} if chosen else pages(view, len(found))),
    )
    selected = api.get(f"lists/{chosen}", limit=PAGE + 1, offset=view.number("offset")) if _is_id(chosen) else None
    return {
        "table": table,
        "advertisers": advertisers_of(api, view),
        "selected": selected,
        "members": _members(selected["members"], view) if selected else None,
    }


def _is_id(text: str | None) -> bool:
    return text is not None and text.isascii() and text.isdecimal()


def _row(item: Mapping[str, Any], view: View) -> Row:
    filled_by = [
        each["source"] + (f" {each['integrationId']}" if each["integrationId"] else "") for each in item["integrations"]
    ]
    return Row(
        [
            Cell(item["name"], view.here(list=item["id"], offset=None)),
            Cell(item["advertiserId"]),
            Cell(item["size"]),
            Cell(item["emails"]),
            Cell(", ".join(filled_by)),
            Cell(item["updatedAt"]),
        ],
        selected=item["id"] == view.get("list"),
    )


def _members(members: list[Any], view: View) -> Table:
    def row(item: Mapping[str, Any]) -> Row:
        email = item["email"]
        return Row(
            [Cell(email, view.link("person", person=email)), Cell("yes" if item["visible"] else "not yet a profile")]
        )

    return Table(
        caption="Members",
        columns=("Email", "Visible"),
        rows=rows_of(members[:PAGE], row),
        empty="The list has no members.",
        **pages(view, len(members)),
    )


def _curl(view: View) -> str:
    return (
        f"curl -s {view.root}/graphql -H 'Authorization: Bearer TOKEN' -H 'Content-Type: application/json' "
        f"""--data-raw '{{"query": {_quoted(_CREATE)}}}'"""
    )


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '\\"') + '"'


SCREEN = Screen(group=GROUP, name="Lists", path="lists", template="stackadapt/lists", values=_values)
