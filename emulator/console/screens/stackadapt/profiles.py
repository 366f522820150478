"""Profiles: what is visible at StackAdapt, page by page, whatever their number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.console.control_api import ControlAPI
from emulator.console.screens.screen import Screen, Values
from emulator.console.tables import Cell, Row, Table, rows_of
from emulator.console.view import View

_PAGE = 50
_COLUMNS = (
    "Email",
    "Advertiser",
    "Marketing status",
    "Audiences",
    "External ids",
    "Sources",
    "Properties",
    "Visible since",
)


def _values(api: ControlAPI, view: View) -> Values:
    email, advertiser, after = view.get("email"), view.get("advertiser"), view.get("after")
    page = api.get("profiles", email=email, advertiserId=advertiser, after=after or 0, limit=_PAGE)
    table = Table(
        caption="Profiles",
        columns=_COLUMNS,
        rows=rows_of(page["profiles"], lambda item: _row(item, view)),
        empty="No profile is visible.",
        fill=view.curl("clock/advance", sent={"hours": 4}),
        before=view.here(after=None) if after else None,
        after=view.here(after=page["next"]) if page["next"] else None,
    )
    return {
        "table": table,
        "advertisers": api.get(f"sandboxes/{view.sandbox}")["advertisers"],
        "why": view.link("person", person=email) if email and not page["profiles"] else None,
    }


def _row(item: Mapping[str, Any], view: View) -> Row:
    properties = ", ".join(f"{name}: {value}" for name, value in item["properties"].items())
    return Row(
        [
            Cell(item["email"], view.link("person", person=item["email"])),
            Cell(item["advertiserId"]),
            Cell(item["marketingStatus"]),
            Cell(", ".join(str(each["name"] or each["id"]) for each in item["audiences"])),
            Cell(", ".join(item["externalIds"])),
            Cell(", ".join(item["sources"])),
            Cell("***" if view.masked and properties else properties),
            Cell(item["visibleAt"]),
        ]
    )


SCREEN = Screen(
    group="StackAdapt › Audience & Attribution › Customer Data",
    name="Profiles",
    path="profiles",
    template="stackadapt/profiles",
    values=_values,
)
