"""Profiles of the Engage space in a table, page by page, whatever their number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from emulator.console.control_api import ControlAPI
from emulator.console.tables import Cell, Row, Table, rows_of
from emulator.console.view import View

_PAGE: Final = 50
COLUMNS: Final = ("Profile", "User id", "Email", "Other identifiers", "Audiences")


def member_table(
    api: ControlAPI,
    view: View,
    path: str,
    caption: str,
    empty: str = "Nobody yet.",
    fill: str | None = None,
    **asked: Any,
) -> Table:
    """The profiles that a list of the control API has after the position in the address."""
    after = view.number("after")
    page = api.get(path, after=after, limit=_PAGE, **asked)
    return Table(
        caption=caption,
        columns=COLUMNS,
        rows=rows_of(page["profiles"], lambda item: _row(item, view)),
        empty=empty,
        fill=fill,
        before=view.here(after=None) if after else None,
        after=view.here(after=page["next"]) if page["next"] else None,
    )


def _row(item: Mapping[str, Any], view: View) -> Row:
    others = [
        f"{each['type']}: {each['id']}"
        for each in item["externalIds"]
        if each["id"] not in (item["userId"], item["email"])
    ]
    person = item["email"] or item["userId"]
    return Row(
        [
            Cell(item["id"], view.link("explorer", profile=item["id"])),
            Cell(item["userId"], view.link("person", person=item["userId"])),
            Cell(item["email"], view.link("person", person=person)),
            Cell(", ".join(others)),
            Cell(", ".join(item["audiences"])),
        ]
    )
