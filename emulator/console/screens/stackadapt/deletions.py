"""Deletions: what each id or email of the deletions led to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.console.control_api import ControlAPI
from emulator.console.screens.screen import Screen, Values
from emulator.console.screens.stackadapt.group import GROUP, PAGE, pages, request_cell
from emulator.console.tables import Cell, Row, Table, rows_of
from emulator.console.view import View

_EXAMPLE = {"userId": "ada"}


def _values(api: ControlAPI, view: View) -> Values:
    asked = {"email": view.get("email"), "externalId": view.get("externalId")}
    found = api.get("deletions", **asked, limit=PAGE + 1, offset=view.number("offset"))["deletions"]
    table = Table(
        caption="Deletions",
        columns=("Time", "Advertiser", "External id", "Email", "Deleted", "Kept", "Suppressed"),
        rows=rows_of(found[:PAGE], lambda item: _row(item, view)),
        empty="No profile was deleted.",
        fill=view.curl("regulations", sent=_EXAMPLE),
        **pages(view, len(found)),
    )
    return {"table": table}


def _row(item: Mapping[str, Any], view: View) -> Row:
    email = item["email"]
    return Row(
        [
            request_cell(view, item["at"], item["requestId"]),
            Cell(item["advertiserId"]),
            Cell(item["externalId"]),
            Cell(email, view.link("person", person=email) if email else None),
            Cell("yes" if item["deleted"] else "no such profile"),
            Cell(", ".join(item["kept"])),
            Cell("yes" if item["suppressed"] else "no"),
        ]
    )


SCREEN = Screen(
    group=GROUP, name="Deletions", path="deletions", template="stackadapt/deletions", values=_values, under="profiles"
)
