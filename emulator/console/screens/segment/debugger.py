"""Debugger: the calls of the sources, newest first, as they come in; one call; and forms that send one.

Named after Segment's Source Debugger: live or paused, pretty or raw, accepted or not and why.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any, Final

from emulator.console.actions import Action
from emulator.console.control_api import ControlAPI
from emulator.console.examples import new_write_key
from emulator.console.screens.developer.reasons import reason_link
from emulator.console.screens.screen import Screen, Values
from emulator.console.tables import Cell, Row, Table, rows_of
from emulator.console.view import View

_PAGE: Final = 100
_NEWEST: Final = "newest"
_OUTCOMES: Final = {"accepted": True, "dropped": False}
_TYPES: Final = ("identify", "track", "page", "screen", "group", "alias")
_SENT_BY_FORM: Final = ("identify", "track")
# A copy is a call of its own, made now.
_OF_THE_ORIGINAL: Final = frozenset(
    {"messageId", "timestamp", "originalTimestamp", "sentAt", "receivedAt", "type", "writeKey"}
)


def _values(api: ControlAPI, view: View) -> Values:
    filters = {name: view.get(name) for name in ("search", "source", "type", "outcome", "reason", "person")}
    sources = api.get("workspace/sources")["items"]
    live = view.get("live") != "off" and not view.get("before")
    return {
        "filters": filters,
        "sources": sources,
        "types": _TYPES,
        "outcomes": tuple(_OUTCOMES),
        "live": live,
        "switch": view.here(live="off" if live else None, before=None),
        "table": _table(api, view, filters),
        "message": view.get("message"),
        "selected": _selected(api, view, sources),
        "form": _form(view, sources),
    }


def _table(api: ControlAPI, view: View, filters: Mapping[str, str | None]) -> Table:
    before = view.get("before")
    asked = {name: filters[name] for name in ("search", "source", "type", "reason")}
    page = api.get("calls", before=before or _NEWEST, limit=_PAGE, **asked, **_person(filters), **_outcome(filters))
    return Table(
        caption="Calls",
        columns=("Time", "Source", "Type", "Event", "Person", "Outcome", "Reason"),
        rows=rows_of(page["calls"], lambda item: _row(item, view)),
        empty="No call matches." if any(filters.values()) else "No call has come in.",
        fill=_example(view),
        before=view.here(before=None) if before else None,
        after=view.here(before=page["next"], live=None) if page["next"] else None,
    )


def _person(filters: Mapping[str, str | None]) -> dict[str, str]:
    name = filters["person"]
    return {} if name is None else {"email" if "@" in name else "userId": name}


def _outcome(filters: Mapping[str, str | None]) -> dict[str, bool]:
    accepted = _OUTCOMES.get(filters["outcome"] or "")
    return {} if accepted is None else {"accepted": accepted}


def _row(item: Mapping[str, Any], view: View) -> Row:
    message, accepted = item["messageId"], item["accepted"]
    # A duplicate has the message id of the call that was accepted.
    picked = view.here(message=message, picked=None if accepted else "dropped") if message else None
    person = item["email"] or item["userId"]
    return Row(
        [
            Cell(item["at"], picked),
            Cell(item["source"] or "unknown"),
            Cell(item["call"]),
            Cell(item["event"]),
            Cell(person, view.link("person", person=person) if person else None),
            Cell(_outcome_of(item)),
            Cell(item["reason"], reason_link(view, item["reason"]), reason=True),
        ],
        selected=message is not None
        and message == view.get("message")
        and accepted == (view.get("picked") != "dropped"),
    )


def _outcome_of(item: Mapping[str, Any]) -> str:
    if item["accepted"]:
        return "✓ accepted"
    return "✗ dropped" if item["status"] < 400 else f"✗ refused ({item['status']})"


def _selected(api: ControlAPI, view: View, sources: list[Mapping[str, Any]]) -> dict[str, Any] | None:
    message = view.get("message")
    if not message:
        return None
    accepted = view.get("picked") != "dropped"
    found = api.get("calls", messageId=message, accepted=accepted, before=_NEWEST, limit=1, content=True)["calls"]
    if not found:
        return None
    call = found[0]
    content = call["content"] or {}
    copy = {name: value for name, value in content.items() if name not in _OF_THE_ORIGINAL}
    kind = call["call"] if call["call"] in _TYPES and content else None
    keys = {source["name"]: source["writeKey"] for source in sources}
    return {
        "call": call,
        "reason_link": reason_link(view, call["reason"]),
        "person": call["email"] or call["userId"],
        "raw": view.get("raw") == "on",
        "pretty": _pretty(content),
        "content": content,
        "type": kind,
        "again": {**copy, "writeKey": keys[call["source"]]} if call["source"] in keys else None,
        "curl": _curl(view, kind, copy) if kind and not view.masked else None,
        "mappings": _mappings(api, view, message),
    }


def _pretty(content: Mapping[str, Any]) -> list[Any]:
    """What the call says, in the order of the arguments of Segment's libraries."""
    whose = ("groupId",) if "groupId" in content else ("previousId", "userId")
    names = ("event", "name") if content.get("type") in ("track", "page", "screen") else whose
    found = [content.get(name) for name in (*names, "properties", "traits")]
    return [each for each in found if each is not None]


def _mappings(api: ControlAPI, view: View, message: str) -> list[tuple[str, Any]]:
    """Each mapping of each destination instance, with the address of its test with this event."""
    destinations = api.get("workspace/destinations", mask=True)["items"]
    return [
        (
            f"{destination['name']} › {name}",
            view.link("destinations/mapping", destination=destination["name"], mapping=name, event=message),
        )
        for destination in destinations
        for name in (each.get("name", each["action"]) for each in destination["subscriptions"])
    ]


def _form(view: View, sources: list[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Which form is open: that of a source, or of a call; in a workspace without sources, that of a source."""
    if view.get("add") == "source" or not sources:
        return {"kind": "source", "close": view.here(add=None), "write_key": new_write_key(sources)}
    kind = view.get("send")
    if kind not in _SENT_BY_FORM:
        return None
    return {
        "kind": kind,
        "close": view.here(send=None),
        # What was sent is the newest.
        "newest": view.here(before=None, live=None),
        "user": view.get("person") if "@" not in (view.get("person") or "") else None,
        "email": view.get("person") if "@" in (view.get("person") or "") else None,
    }


def _curl(view: View, kind: str, body: Mapping[str, Any]) -> str:
    url = f"{view.root}/v1/{kind}"
    return shlex.join(["curl", "-s", "-u", "WRITE_KEY:", "--json", json.dumps(body, ensure_ascii=False), url])


def _example(view: View) -> str:
    return _curl(view, "identify", {"userId": "ada", "traits": {"email": "ada@example.com"}})


SCREEN = Screen(
    group="Segment",
    name="Debugger",
    path="debugger",
    template="segment/debugger",
    values=_values,
    actions=(
        Action("add source", "POST", "/_emulator/workspace/{part}"),
        # The Tracking API is public: a form sends as an app does.
        *(Action(f"send {kind}", "POST", f"/v1/{kind}") for kind in _TYPES),
    ),
)
