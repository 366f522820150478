"""Person: the way of one person through both services, where it stopped, and what lets it through."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from emulator.console.actions import Action
from emulator.console.control_api import ControlAPI, Refused
from emulator.console.examples import example_call
from emulator.console.screens.developer.reasons import reason_link
from emulator.console.screens.missing_people import missing_people, outside_audiences, reasons_of
from emulator.console.screens.person_timeline import Documents, timeline
from emulator.console.screens.screen import Screen, Values
from emulator.console.tables import Button
from emulator.console.times import left, minutes_left
from emulator.console.view import Address, View

_FORMS = ("curl", "pytest", "scenario")
# The sender's: a mapping of StackAdapt belongs to the connection that made it.
_NOT_HERE = frozenset({"mapping"})


def _values(api: ControlAPI, view: View) -> Values:
    name = (view.get("person") or "").strip()
    if not name:
        # Each of those in no audience is asked about, which takes longer than the rest of the page.
        outside = outside_audiences(api) if view.get("all") else []
        return {
            "answer": None,
            "example": example_call(view),
            "reasons": reasons_of(api, outside),
            "missing": missing_people(api, view, outside),
            "later": None if view.get("all") else view.here(all="on"),
        }
    asked = _question(api, name)
    # The answer is shown before the timeline and the smallest change are there, which take longer.
    whole = bool(view.get("all"))
    answer = api.get("why", **asked, search=whole)
    stopped = answer.get("stopped") or {}
    return {
        "answer": answer,
        "stopped": stopped,
        "reason_link": reason_link(view, stopped.get("reason")),
        "curl": view.curl("why", **asked),
        "events": timeline(api, view, name, Documents.read(api, asked)) if whole else None,
        "requests": _requests(view, asked, answer),
        "queued": _queued(api, name) if stopped.get("stage") == "latency" else None,
        "buttons": [*_buttons(asked, answer)],
        "later": None if whole else view.here(all="on"),
        "next": view.link("person", person=_lasting(asked, answer)),
        "case": _case(api, view, asked),
        "forms": _FORMS,
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


def _lasting(asked: Mapping[str, str], answer: Mapping[str, Any]) -> str:
    """The name under which the person is found when a message was sent again, which then has another id."""
    if "messageId" not in asked:
        return next(iter(asked.values()))
    return _email_of(answer) or str(answer["who"]).partition(",")[0]


def _queued(api: ControlAPI, name: str) -> dict[str, Any] | None:
    """When the first record of someone becomes visible, and how far the clock has to move."""
    # Before a record is read, its email is one of its values only.
    found = api.get("records", outcome="queued", externalId=name, limit=1)["records"]
    if not found:
        return None
    now, due = api.get("clock")["now"], found[0]["dueAt"]
    body = {"duration": f"{minutes_left(now, due)}m"}
    return {"at": due, "left": left(now, due), "button": Button(label="Advance to then", action="advance", body=body)}


def _buttons(asked: Mapping[str, str], answer: Mapping[str, Any]) -> Iterator[Button]:
    """What can be done for the person."""
    kinds = {change["kind"] for change in answer["changes"]}
    if kinds and not kinds & _NOT_HERE:
        yield Button(label="Apply", action="apply changes", body=asked)
    yield Button(label="Send again", action="send again", body=asked)


def _case(api: ControlAPI, view: View, asked: Mapping[str, str]) -> dict[str, str] | None:
    """The case in the form that the address names."""
    form = view.get("as")
    if form not in _FORMS or view.masked:
        return None
    try:
        found: dict[str, str] = api.get("why/case", **asked, **{"as": form})
    except Refused as refused:
        return {"as": form, "text": str(refused.error.get("message"))}
    return found


SCREEN = Screen(
    group="",
    name="Person",
    path="person",
    template="person",
    values=_values,
    actions=(
        Action("apply changes", "POST", "/_emulator/why/apply"),
        Action("send again", "POST", "/_emulator/why/send-again"),
    ),
)
