"""Properties: the catalogue of an advertiser's profile properties, and the keys that were dropped, with why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.console.control_api import ControlAPI
from emulator.console.screens.screen import Screen, Values
from emulator.console.screens.stackadapt.group import GROUP, advertisers_of, reason_cell
from emulator.console.tables import Cell, Row, Table, rows_of
from emulator.console.view import View


def _values(api: ControlAPI, view: View) -> Values:
    advertisers = advertisers_of(api, view)
    advertiser = view.get("advertiser") or next(iter(advertisers), None)
    found = api.get("properties", advertiserId=advertiser) if advertiser else _NOTHING
    counted = found["counted"]
    properties = Table(
        caption="Properties",
        columns=("Key", "Label", "Type", "Personal data", "Source", "Mappings", f"Of {counted['profiles']} profiles"),
        rows=rows_of(found["properties"], lambda item: _row(item, view, advertiser)),
        empty="The workspace has no advertiser.",
    )
    dropped = Table(
        caption="Dropped keys",
        columns=("Key", f"Of {counted['records']} records", "Reason", "Why"),
        rows=rows_of(found["dropped"], lambda item: _dropped(item, view)),
        empty="Every key of the newest records is named by a mapping.",
    )
    return {
        "advertisers": advertisers,
        "advertiser": advertiser,
        "properties": properties,
        "dropped": dropped,
        "curl": view.curl("properties", advertiserId=advertiser),
    }


_NOTHING: Mapping[str, Any] = {"properties": [], "dropped": [], "counted": {"profiles": 0, "records": 0}}


def _row(item: Mapping[str, Any], view: View, advertiser: str | None) -> Row:
    segment = view.link("segments", create="on", advertiser=advertiser, field=item["key"])
    return Row(
        [
            Cell(item["key"], segment),
            Cell(item["label"]),
            Cell(item["type"]),
            Cell("yes" if item["isPii"] else "no"),
            Cell(item["source"]),
            Cell(", ".join(item["mappings"])),
            Cell(item["profiles"]),
        ]
    )


def _dropped(item: Mapping[str, Any], view: View) -> Row:
    warning = item["warning"]
    return Row([Cell(item["key"]), Cell(item["records"]), reason_cell(view, warning["code"]), Cell(_why(warning))])


def _why(warning: Mapping[str, Any]) -> str:
    """Which mapping the newest record was read by, and which one names the key."""
    mapping = warning["mapping"]
    text = f"mapping {mapping} did not name it" if mapping else "the advertiser had no mapping"
    if warning["next"]:
        return f"{text}; mapping {warning['next']} names it since {warning['nextSince']}: send the records again"
    if elsewhere := warning["elsewhere"]:
        return f"{text}; mapping {elsewhere['mapping']} of advertiser {elsewhere['advertiserId']} names it"
    return f"{text}: add a column for it (upsertProfileMapping), then send the records again"


SCREEN = Screen(group=GROUP, name="Properties", path="properties", template="stackadapt/properties", values=_values)
