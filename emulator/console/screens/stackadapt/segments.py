"""Segments: those of StackAdapt, with *Create Segment*."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.console.actions import Action
from emulator.console.control_api import ControlAPI
from emulator.console.screens.screen import Screen, Values
from emulator.console.tables import Cell, Row, Table, rows_of
from emulator.console.view import View

# By the captions of the page of 2024, which newer API versions still accept.
_FIELDS = {
    "segment_engage_audience_id": "Segment Engage Audience ID",
    "segment_engage_audience_name": "Segment Engage Audience Name",
}
_EXAMPLE = {
    "advertiserId": "1001",
    "name": "VIP",
    "rule": {"field": "segment_engage_audience_name", "operator": "equals", "value": "vip_customers"},
}
_MEMBERS = 20
_RECORDS = 100


def _values(api: ControlAPI, view: View) -> Values:
    chosen = view.get("segment")
    table = Table(
        caption="Segments",
        columns=("Name", "Advertiser", "Size", "Rule", "Warnings"),
        rows=rows_of(api.get("segments")["segments"], lambda item: _row(item, view)),
        empty="No segment has been created.",
        fill=view.curl("segments", sent=_EXAMPLE),
    )
    return {
        "table": table,
        "advertisers": api.get(f"sandboxes/{view.sandbox}")["advertisers"],
        "fields": _FIELDS,
        "values": _known_values(api),
        "selected": api.get(f"segments/{chosen}", limit=_MEMBERS) if chosen and chosen.isdecimal() else None,
    }


def _row(item: Mapping[str, Any], view: View) -> Row:
    return Row(
        [
            Cell(item["name"], view.here(segment=item["id"])),
            Cell(item["advertiserId"]),
            Cell(item["size"]),
            Cell(in_words(item["rule"])),
            Cell(" ".join(item["warnings"])),
        ],
        selected=item["id"] == view.get("segment"),
    )


def in_words(rule: Any) -> str:
    """A rule on one line. Raises KeyError, TypeError or AttributeError for anything else."""
    if rule is None:
        return "cannot be read"
    for name, word in (("all", " and "), ("any", " or ")):
        if name in rule:
            return f"({word.join(in_words(each) for each in rule[name])})"
    if "not" in rule:
        return f"not {in_words(rule['not'])}"
    field = _FIELDS.get(rule["field"], rule["field"])
    return " ".join(str(part) for part in (field, rule["operator"], rule.get("value")) if part is not None)


def _known_values(api: ControlAPI) -> list[str]:
    """Ids and names of audiences: those that records brought, and those of the workspace."""
    records = [each["record"] for each in api.get("records", limit=_RECORDS)["records"]]
    brought = [each.get(name) for each in records if isinstance(each, dict) for name in ("audienceName", "audienceId")]
    own = [each[name] for each in api.get("audiences")["audiences"] for name in ("key", "id")]
    return sorted({str(value) for value in (*brought, *own) if value})


SCREEN = Screen(
    group="StackAdapt › Audience & Attribution › Customer Data",
    name="Segments",
    path="segments",
    template="stackadapt/segments",
    values=_values,
    actions=(
        Action("create segment", "POST", "/_emulator/segments"),
        Action("delete segment", "DELETE", "/_emulator/segments/{segmentId}"),
    ),
)
