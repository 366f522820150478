"""Segments: those of StackAdapt, with *Create Segment*, their members, and the corrections that values need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from emulator.console.actions import Action
from emulator.console.control_api import ControlAPI
from emulator.console.screens.screen import Screen, Values
from emulator.console.screens.stackadapt.group import GROUP, advertisers_of
from emulator.console.screens.stackadapt.segment_form import (
    FIRST_FIELD,
    WITH_VALUE,
    WITHOUT_VALUE,
    conditions_of,
    field_groups,
    in_words,
    with_value,
)
from emulator.console.tables import Button, Cell, Row, Table, rows_of
from emulator.console.view import View

_EXAMPLE = {
    "advertiserId": "1001",
    "name": "VIP",
    "rule": {"field": "segment_engage_audience_name", "operator": "equals", "value": "vip_customers"},
}
_MEMBERS = 20


def _values(api: ControlAPI, view: View) -> Values:
    chosen = view.get("segment")
    selected = api.get(f"segments/{chosen}", limit=_MEMBERS, offset=view.number("offset")) if _is_id(chosen) else None
    table = Table(
        caption="Segments",
        columns=("Name", "Advertiser", "Size", "Rule", "Warnings"),
        rows=rows_of(api.get("segments")["segments"], lambda item: _row(item, view)),
        empty="No segment has been created.",
        fill=view.curl("segments", sent=_EXAMPLE),
    )
    return {
        "table": table,
        "selected": selected,
        "members": _members(selected, view) if selected else None,
        "corrections": [*_corrections(selected)] if selected else [],
        **(_form(api, view, selected) if view.get("create") or view.get("edit") else {}),
    }


def _is_id(text: str | None) -> bool:
    return text is not None and text.isascii() and text.isdecimal()


def _form(api: ControlAPI, view: View, selected: Mapping[str, Any] | None) -> Values:
    """What *Create Segment* offers; `conditions` None is a rule that only JSON can say."""
    advertisers = advertisers_of(api, view)
    edited = selected if view.get("edit") else None
    advertiser = edited["advertiserId"] if edited else view.get("advertiser") or next(iter(advertisers), None)
    catalogue = api.get("properties", advertiserId=advertiser)["properties"] if advertiser in advertisers else []
    version = api.get("workspace", mask=True)["workspace"].get("apiVersion", "2026-06")
    groups = [*field_groups(version, {each["key"]: each["label"] for each in catalogue})]
    field = view.get("field") or FIRST_FIELD
    first = {"field": field, "operator": "equals", "value": view.get("value") or ""}
    known = api.get("segments/values", advertiserId=advertiser, field=field)["values"] if catalogue else []
    return {
        "advertisers": advertisers,
        "advertiser": advertiser,
        "groups": groups,
        "operators": WITH_VALUE,
        "without_value": WITHOUT_VALUE,
        "known": known,
        "conditions": conditions_of(edited["rule"] if edited else first),
        "edited": edited,
    }


def _row(item: Mapping[str, Any], view: View) -> Row:
    return Row(
        [
            Cell(item["name"], view.link("segments", segment=item["id"])),
            Cell(item["advertiserId"]),
            Cell(item["size"]),
            Cell(in_words(item["rule"])),
            Cell(" ".join(item["warnings"])),
        ],
        selected=item["id"] == view.get("segment"),
    )


def _members(segment: Mapping[str, Any], view: View) -> Table:
    start = view.number("offset")
    end = start + _MEMBERS
    return Table(
        caption=f"Members ({segment['size']})",
        columns=("Email",),
        rows=rows_of(segment["members"], lambda email: Row([Cell(email, view.link("person", person=email))])),
        empty="The segment has no members.",
        before=view.here(offset=max(start - _MEMBERS, 0) or None) if start else None,
        after=view.here(offset=end) if end < segment["size"] else None,
    )


def _corrections(segment: Mapping[str, Any]) -> Iterator[Button]:
    """A button for each value of the rule that nothing has, where a similar one is known."""
    for each in segment["unknownValues"]:
        if each["nearest"]:
            rule = with_value(segment["rule"], each["place"], each["nearest"])
            label = f"Did you mean {each['nearest']}?"
            path = f"/_emulator/segments/{segment['id']}"
            yield Button(label=label, action="update segment", path=path, body={"rule": rule})


SCREEN = Screen(
    group=GROUP,
    name="Segments",
    path="segments",
    template="stackadapt/segments",
    values=_values,
    script="segments",
    actions=(
        Action("create segment", "POST", "/_emulator/segments"),
        Action("update segment", "PATCH", "/_emulator/segments/{segmentId}"),
        Action("delete segment", "DELETE", "/_emulator/segments/{segmentId}"),
        # While a rule is typed.
        Action("preview segment", "POST", "/_emulator/segments/preview"),
    ),
)
