"""Profiles: what is visible at StackAdapt, page by page, whatever their number; one profile with its history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.console.control_api import ControlAPI
from emulator.console.screens.missing_people import missing_in_words
from emulator.console.screens.screen import Screen, Values
from emulator.console.screens.stackadapt.group import (
    GROUP,
    PAGE,
    advertisers_of,
    pages,
    queue_of,
    queued_record,
    reason_cell,
    request_cell,
)
from emulator.console.tables import Cell, Row, Table, rows_of
from emulator.console.view import View

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
_HISTORY = 20


def _values(api: ControlAPI, view: View) -> Values:
    searched = {"email": view.get("email"), "externalId": view.get("externalId")}
    start = {"before": view.number("before")} if view.get("before") else {"after": view.number("after")}
    page = api.get("profiles", **searched, advertiserId=view.get("advertiser"), **start, limit=PAGE)
    table = Table(
        caption="Profiles",
        columns=_COLUMNS,
        rows=rows_of(page["profiles"], lambda item: _row(item, view)),
        empty="No profile is visible.",
        fill=view.curl("clock/advance", sent={"hours": 4}),
        before=view.here(before=page["previous"], after=None, profile=None, of=None) if page["previous"] else None,
        after=view.here(after=page["next"], before=None, profile=None, of=None) if page["next"] else None,
    )
    missing = None if page["profiles"] else searched["email"] or searched["externalId"]
    return {
        "table": table,
        "advertisers": advertisers_of(api, view),
        # It counts every record, and comes after the page.
        "queue": queue_of(api) if view.get("all") else None,
        "later": None if view.get("all") else view.here(all="on"),
        "missing": None if page["profiles"] or missing or view.get("after") else missing_in_words(api),
        "missing_link": view.link("person"),
        "why": view.link("person", person=missing) if missing else None,
        "queued": queued_record(api, missing) if missing else None,
        "selected": _selected(api, view),
    }


def _row(item: Mapping[str, Any], view: View) -> Row:
    properties = ", ".join(f"{name}: {value}" for name, value in item["properties"].items())
    chosen = (item["email"], item["advertiserId"]) == (view.get("profile"), view.get("of"))
    return Row(
        [
            Cell(item["email"], view.here(profile=item["email"], of=item["advertiserId"], offset=None)),
            Cell(item["advertiserId"]),
            Cell(item["marketingStatus"]),
            Cell(", ".join(str(each["name"] or each["id"]) for each in item["audiences"])),
            Cell(", ".join(item["externalIds"])),
            Cell(", ".join(item["sources"])),
            Cell("***" if view.masked and properties else properties),
            Cell(item["visibleAt"]),
        ],
        selected=chosen,
    )


def _selected(api: ControlAPI, view: View) -> dict[str, Any] | None:
    """The profile that the address names, with what changed it; None without one."""
    email, advertiser = view.get("profile"), view.get("of")
    if not email or not advertiser:
        return None
    profiles = api.get("profiles", email=email, advertiserId=advertiser, limit=1)["profiles"]
    deletions = api.get("deletions", email=email, advertiserId=advertiser, limit=_HISTORY)["deletions"]
    return {
        "email": email,
        "profile": profiles[0] if profiles else None,
        "person": view.link("person", person=email),
        "audiences": _audiences(profiles[0], view) if profiles else None,
        "history": _history(api, view, email, advertiser),
        "deletions": deletions,
        "curl": view.curl("profiles/history", advertiserId=advertiser, email=email),
    }


def _audiences(profile: Mapping[str, Any], view: View) -> Table:
    def row(item: Mapping[str, Any]) -> Row:
        segment = view.link("segments", create="on", advertiser=profile["advertiserId"], value=item["name"])
        return Row([Cell(item["name"], segment), Cell(item["id"]), Cell(item["provider"]), Cell(item["since"])])

    return Table(
        caption="External audiences",
        columns=("Name", "Id", "Provider", "Since"),
        rows=rows_of(profile["audiences"], row),
        empty="The profile is in no audience.",
    )


def _history(api: ControlAPI, view: View, email: str, advertiser: str) -> Table:
    asked = {"limit": _HISTORY + 1, "offset": view.number("offset")}
    found = api.get("profiles/history", advertiserId=advertiser, email=email, **asked)["history"]

    def row(item: Mapping[str, Any]) -> Row:
        changed = "; ".join(_change(each, masked=view.masked) for each in item["changed"])
        return Row(
            [
                request_cell(view, item["receivedAt"], item["requestId"]),
                Cell(item["outcome"]),
                Cell(changed or "nothing"),
                reason_cell(view, item["reason"] or next((each["code"] for each in item["warnings"]), None)),
            ]
        )

    return Table(
        caption="History",
        columns=("Received with request", "Outcome", "Changed", "Reason or warning"),
        rows=rows_of(found[:_HISTORY], row),
        empty="No record has this address: the profile was imported, or its records came without an email.",
        **pages(view, len(found), size=_HISTORY),
    )


def _change(change: Mapping[str, Any], *, masked: bool) -> str:
    note = " (dropped: no mapping names it)" if change["dropped"] else ""
    if masked:
        return f"{change['key']}{note}"
    before = "" if change["before"] is None else f"{change['before']} → "
    return f"{change['key']}: {before}{change['after']}{note}"


SCREEN = Screen(group=GROUP, name="Profiles", path="profiles", template="stackadapt/profiles", values=_values)
