"""Person: the way of one person through both services, where it stopped, and what would let it through."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.console.control_api import ControlAPI
from emulator.console.examples import example_call
from emulator.console.screens.developer.reasons import reason_link
from emulator.console.screens.screen import Screen, Values
from emulator.console.tables import Cell, Row, Table, rows_of
from emulator.console.view import Address, View

_EVENTS = 200
_RECORDS = 20


def _values(api: ControlAPI, view: View) -> Values:
    name = (view.get("person") or "").strip()
    if not name:
        return {"answer": None, "example": example_call(view)}
    asked = _question(api, name)
    answer = api.get("why", **asked)
    stopped = answer.get("stopped") or {}
    return {
        "answer": answer,
        "stopped": stopped,
        "reason_link": reason_link(view, stopped.get("reason")),
        "curl": view.curl("why", **asked),
        "events": _events(api, view, name),
        "records": _records(api, asked),
        "requests": _requests(view, asked, answer),
    }


def _requests(view: View, asked: Mapping[str, str], answer: Mapping[str, Any]) -> Address | None:
    """The requests about the person; None when neither an email nor a message is known."""
    if "messageId" in asked:
        return view.link("requests", messageId=asked["messageId"])
    email = asked.get("email") or _email_of(answer)
    return view.link("requests", email=email) if email else None


def _question(api: ControlAPI, name: str) -> dict[str, str]:
    """A message id is one that a call or an event has; the rest are user ids."""
    if "@" in name:
        return {"email": name}
    lists = ("calls", "deliveries")
    is_message = any(api.get(each, messageId=name, limit=1)[each] for each in lists)
    return {"messageId" if is_message else "userId": name}


def _email_of(answer: Mapping[str, Any]) -> str | None:
    """Of `ada@example.com (ada)`, as the answer names someone whose email is known."""
    who = str(answer.get("who") or "").partition(" ")[0]
    return who if "@" in who else None


def _events(api: ControlAPI, view: View, name: str) -> Table:
    found = api.get("events", person=name, limit=_EVENTS, mask=view.masked)["events"]

    def row(item: Mapping[str, Any]) -> Row:
        detail = item["detail"]
        trace = detail.get("traceId")
        # A delivery has several, with their counts.
        reason = detail.get("reason") or next(iter(detail.get("reasons") or ()), None)
        request = view.link("requests", trace=trace) if trace else None
        why = Cell(reason, reason_link(view, reason), reason=True)
        return Row([Cell(item["at"]), Cell(item["kind"]), Cell(item["text"], request), why])

    return Table(
        caption="Timeline",
        columns=("Time", "Kind", "What happened", "Reason"),
        rows=rows_of(found, row),
        empty="The journal has nothing about this person.",
        fill=example_call(view),
    )


def _records(api: ControlAPI, asked: Mapping[str, str]) -> list[Any]:
    if "messageId" in asked:
        return []
    about = {"email": asked["email"]} if "email" in asked else {"externalId": asked["userId"]}
    found: list[Any] = api.get("records", **about, limit=_RECORDS)["records"]
    return found


SCREEN = Screen(group="", name="Person", path="person", template="person", values=_values)
