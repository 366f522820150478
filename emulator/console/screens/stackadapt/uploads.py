"""Uploads: files and rows that were uploaded, and of one its mapping and the rows that were refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.console.control_api import ControlAPI
from emulator.console.screens.screen import Screen, Values
from emulator.console.screens.stackadapt.group import (
    GROUP,
    PAGE,
    advertisers_of,
    document_cell,
    pages,
    person_cell,
    reason_cell,
    request_cell,
)
from emulator.console.tables import Cell, Row, Table, rows_of
from emulator.console.view import View

_OUTCOMES = ("rejected", "visible", "queued", "pending", "suppressed")
_IMPORT = '{"email": "ada@example.com"}'


def _values(api: ControlAPI, view: View) -> Values:
    chosen = view.get("upload")
    asked = {"advertiserId": view.get("advertiser"), "limit": PAGE + 1}
    found = api.get("uploads", **asked, offset=0 if chosen else view.number("offset"))["uploads"]
    table = Table(
        caption="Uploads",
        columns=(
            "File",
            "Advertiser",
            "Status",
            "Rows by outcome",
            "Received with request",
            "Why it could not be read",
        ),
        rows=rows_of(found[:PAGE], lambda item: _row(item, view)),
        empty="Nothing was uploaded.",
        fill=_curl(view),
        **({} if chosen else pages(view, len(found))),
    )
    selected = api.get(f"uploads/{chosen}") if chosen and chosen.isascii() and chosen.isdecimal() else None
    return {
        "table": table,
        "advertisers": advertisers_of(api, view),
        "selected": selected,
        "list_link": view.link("lists", list=selected["listId"]) if selected and selected["listId"] else None,
        "columns": _columns(selected) if selected else None,
        "rows": _rows(api, view, selected) if selected else None,
        "outcomes": _OUTCOMES,
        "outcome": view.get("outcome") or _OUTCOMES[0],
    }


def _row(item: Mapping[str, Any], view: View) -> Row:
    return Row(
        [
            Cell(item["filename"], view.here(upload=item["id"], offset=None)),
            Cell(item["advertiserId"]),
            Cell(item["status"]),
            Cell(", ".join(f"{count} {outcome}" for outcome, count in item["records"].items())),
            request_cell(view, item["receivedAt"], item["requestId"]),
            Cell(item["failure"]),
        ],
        selected=item["id"] == view.get("upload"),
    )


def _columns(upload: Mapping[str, Any]) -> Table:
    def row(item: Mapping[str, Any]) -> Row:
        names = ("incoming_key", "destination_key", "label", "data_type")
        return Row([*(Cell(item[name]) for name in names), Cell("yes" if item["is_pii"] else "no")])

    return Table(
        caption="Mapping",
        columns=("Column", "Property", "Label", "Type", "Personal data"),
        rows=rows_of(upload["columns"], row),
        empty="The upload has no mapping.",
    )


def _rows(api: ControlAPI, view: View, upload: Mapping[str, Any]) -> Table:
    outcome = view.get("outcome") if view.get("outcome") in _OUTCOMES else _OUTCOMES[0]
    asked = {"requestId": upload["requestId"], "outcome": outcome, "limit": PAGE + 1, "offset": view.number("offset")}
    # An upload whose batch is missing has no request; without one, every record would be found.
    found = api.get("records", **asked)["records"] if upload["requestId"] else []

    def row(item: Mapping[str, Any]) -> Row:
        return Row(
            [
                Cell(item["index"] + 1),
                person_cell(view, item["email"], *item["record"].values()),
                reason_cell(view, item["reason"]),
                Cell(item["message"]),
                document_cell(view, item["record"]),
            ]
        )

    return Table(
        caption=f"Rows: {outcome}",
        columns=("Row", "Person", "Reason", "What it means", "Values"),
        rows=rows_of(found[:PAGE], row),
        empty=f"No row is {outcome}.",
        **pages(view, len(found)),
    )


def _curl(view: View) -> str:
    url = f"{view.root}/_emulator/profiles/import?advertiserId=1001&format=jsonl"
    return f"curl -s '{url}' --data-raw '{_IMPORT}'"


SCREEN = Screen(group=GROUP, name="Uploads", path="uploads", template="stackadapt/uploads", values=_values)
