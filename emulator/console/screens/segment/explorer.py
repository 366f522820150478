"""Profile explorer: the profiles of the Engage space, and one of them with its audiences and why, and its calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from emulator.console.control_api import ControlAPI
from emulator.console.screens.developer.reasons import reason_link
from emulator.console.screens.screen import Screen, Values
from emulator.console.screens.segment.members import member_table
from emulator.console.tables import Cell, Row, Table, rows_of
from emulator.console.view import View

Json = Mapping[str, Any]
_CALLS: Final = 50


def _values(api: ControlAPI, view: View) -> Values:
    name = (view.get("person") or "").strip() or None
    chosen = view.get("profile")
    found = member_table(
        api,
        view,
        "space/profiles",
        "Profiles",
        "Nobody has this user id, email or external id." if name else "The space has no profile.",
        _example(view),
        externalId=name,
    )
    return {
        "table": found,
        "chosen": chosen,
        "selected": _selected(api, view, chosen) if chosen else None,
        "why": view.link("person", person=name) if name and not found.rows else None,
    }


def _selected(api: ControlAPI, view: View, profile_id: str) -> dict[str, Any] | None:
    found = api.get("space/profiles", profileId=profile_id, limit=1)["profiles"]
    if not found:
        return None
    profile = found[0]
    person = profile["userId"] or profile["email"]
    return {
        "profile": profile,
        "person": view.link("person", person=person) if person else None,
        "stackadapt": view.link("profiles", email=profile["email"]) if profile["email"] else None,
        "debugger": view.link("debugger", person=person) if person else None,
        "identifiers": _identifiers(profile),
        "explanations": _explanations(api, view, profile_id),
        "calls": _calls(api, view, profile),
        "curl": view.curl("space/profiles", profileId=profile_id),
    }


def _identifiers(profile: Json) -> Table:
    return Table(
        caption="Identifiers",
        columns=("Type", "Value"),
        rows=rows_of(profile["externalIds"], lambda each: Row([Cell(each["type"]), Cell(each["id"])])),
        empty="None.",
    )


def _explanations(api: ControlAPI, view: View, profile_id: str) -> Table:
    def row(item: Json) -> Row:
        is_audience = item["audience"] is not None
        link = view.link("audiences", audience=item["audience"]) if is_audience else view.link("journeys")
        reasons = "; ".join(item["failed"])
        return Row(
            [
                Cell(item["name"], link),
                Cell("audience" if is_audience else "journey"),
                Cell("✓ in" if item["member"] else "✗ not in"),
                Cell(reasons or ("every condition holds" if item["member"] else "")),
            ]
        )

    found = api.get("audiences/explain", profileId=profile_id, limit=1)["audiences"]
    return Table(
        caption="Audiences and why",
        columns=("Name", "Kind", "Member", "Why"),
        rows=rows_of(found, row),
        empty="The workspace has neither audiences nor journeys.",
    )


def _calls(api: ControlAPI, view: View, profile: Json) -> Table:
    """The newest calls with the user id of the profile, or with its email where it has none."""
    asked = {"userId": profile["userId"]} if profile["userId"] else {"email": profile["email"]}
    found = api.get("calls", before="newest", limit=_CALLS, **asked)["calls"] if any(asked.values()) else []

    def row(item: Json) -> Row:
        link = view.link("debugger", message=item["messageId"], picked=None if item["accepted"] else "dropped")
        return Row(
            [
                Cell(item["at"], link if item["messageId"] else None),
                Cell(item["call"]),
                Cell(item["event"]),
                Cell("✓ accepted" if item["accepted"] else "✗ dropped"),
                Cell(item["reason"], reason_link(view, item["reason"]), reason=True),
            ]
        )

    return Table(
        caption="Calls, newest first",
        columns=("Time", "Type", "Event", "Outcome", "Reason"),
        rows=rows_of(found, row),
        empty="The journal has no call of this person any more.",
    )


def _example(view: View) -> str:
    return (
        f"curl -s -u WRITE_KEY: {view.root}/v1/identify -H 'Content-Type: application/json' "
        """-d '{"userId": "ada", "traits": {"email": "ada@example.com"}}'"""
    )


SCREEN = Screen(group="Segment", name="Profile explorer", path="explorer", template="segment/explorer", values=_values)
