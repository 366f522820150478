"""Rejections: the records that StackAdapt refused, by reason and person."""

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


def _values(api: ControlAPI, view: View) -> Values:
    counts = api.get("counts")["stackadapt"]
    by_reason = {**counts["rejections"], **counts["waiting"]}
    asked = {"email": view.get("person"), "reason": view.get("reason"), "advertiserId": view.get("advertiser")}
    found = api.get("rejections", **asked, pending=True, limit=PAGE + 1, offset=view.number("offset"))["rejections"]
    table = Table(
        caption="Rejections",
        columns=("Time", "Person", "Advertiser", "Outcome", "Reason", "What it means", "Record"),
        rows=rows_of(found[:PAGE], lambda item: _row(item, view)),
        empty="No record was refused.",
        fill=view.curl("rejections"),
        **pages(view, len(found)),
    )
    return {"table": table, "reasons": by_reason, "advertisers": advertisers_of(api, view)}


def _row(item: Mapping[str, Any], view: View) -> Row:
    record = item["record"]
    return Row(
        [
            request_cell(view, item["at"] or f"waits for {item['waitsFor']}", item["requestId"]),
            person_cell(view, record.get("email"), record.get("userId")),
            Cell(item["advertiserId"]),
            Cell(item["outcome"]),
            reason_cell(view, item["reason"]),
            Cell(item["message"]),
            document_cell(view, record),
        ]
    )


SCREEN = Screen(
    group=GROUP,
    name="Rejections",
    path="rejections",
    template="stackadapt/rejections",
    values=_values,
    under="profiles",
)
