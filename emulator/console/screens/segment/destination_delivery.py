"""Delivery Overview of a destination: Segment's steps, the reasons and samples of one, dead letters, batches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from emulator.console.control_api import ControlAPI
from emulator.console.screens.developer.reasons import reason_link
from emulator.console.screens.screen import Screen, Values
from emulator.console.screens.segment.destination_page import Item, asked, frame
from emulator.console.screens.workspace_parts import FIXES, REPLAY
from emulator.console.tables import Button, Cell, Row, Table, rows_of
from emulator.console.view import Address, View

_FROM_SOURCE: Final = "eventsFromSource"
# In Segment's order; for audiences, *Events from audience* is the first.
_STEPS: Final = (
    "eventsFromAudience",
    "successfullyReceived",
    "failedOnIngest",
    "filteredAtSource",
    _FROM_SOURCE,
    "filteredAtDestination",
    "queued",
    "pendingRetry",
    "failedDelivery",
    "successfulDelivery",
)
# How the successful deliveries ended, which Segment does not show.
_ENDS: Final = ("queued", "visible", "pending", "rejected", "suppressed", "refused", "unknown")
_AT_STACKADAPT: Final = "stackadapt."
_SAMPLES: Final = 10
_PAGE: Final = 20


def _values(api: ControlAPI, view: View) -> Values:
    item = asked(api, view)
    framed = frame(api, view, item)
    if item is None:
        return framed
    name = item["name"]
    found = api.get("funnel", destination=name)
    message = view.get("message")
    return {
        **framed,
        "steps": [
            _step(view, step, found["steps"][step], found["steps"][step]["name"])
            for step in _STEPS
            if step != _FROM_SOURCE or item.get("source") or found["steps"][step]["count"]
        ],
        "ends": [_step(view, _AT_STACKADAPT + end, found["stackadapt"][end], end.capitalize()) for end in _ENDS],
        "funnel_curl": view.curl("funnel", destination=name),
        "selected": _selected(api, view, name, found),
        "sample": _sample(api, view, name, message) if message else None,
        "dead_letters": _dead_letters(api, view, name),
        "dead_curl": view.curl(
            "dead-letters", destination=name, reason=view.get("reason"), **_about(view), limit=10_000
        ),
        "batches": _batches(api, view, name),
    }


def _step(view: View, key: str, step: Item, name: str) -> dict[str, Any]:
    link = view.here(step=key, reason=None, message=None)
    return {"name": name, "count": step["count"], "meaning": step["meaning"], "link": link, "key": key}


def _about(view: View) -> dict[str, str]:
    """The filter by a person: an email or a user id."""
    person = (view.get("person") or "").strip()
    return {("email" if "@" in person else "userId"): person} if person else {}


def _selected(api: ControlAPI, view: View, name: str, found: Item) -> dict[str, Any] | None:
    """The step of the address with its reasons and samples; None without one."""
    key = view.get("step") or ""
    at_stackadapt = key.startswith(_AT_STACKADAPT)
    part, step = ("stackadapt", key.removeprefix(_AT_STACKADAPT)) if at_stackadapt else ("steps", key)
    if step not in found[part]:
        return None
    content = found[part][step]
    is_listed = content.get("counts") == "deliveries" or (at_stackadapt and step == "refused")
    title = content.get("name", step.capitalize())
    return {
        "name": title,
        "meaning": content["meaning"],
        "reasons": _reasons(view, content),
        "samples": _deliveries(api, view, name, step) if is_listed else _samples(view, content["samples"]),
    }


def _reasons(view: View, content: Item) -> Table:
    def row(each: Item) -> Row:
        code = each["code"]
        here = view.here(reason=code, message=None)
        cells = [Cell(code, reason_link(view, code), reason=True), Cell(each["count"], here), Cell(each["meaning"])]
        return Row(cells, selected=code == view.get("reason"))

    return Table(
        caption="Reasons",
        columns=("Reason", "Count", "Meaning"),
        rows=rows_of(content["reasons"], row),
        empty="Nothing has a reason at this step.",
    )


def _deliveries(api: ControlAPI, view: View, name: str, step: str) -> Table:
    asked_for = {"destination": name, "step": step, "reason": view.get("reason"), **_about(view)}
    found = api.get("deliveries", **asked_for, newest=True, limit=_SAMPLES)["deliveries"]
    return _sampled(view, found, view.curl("deliveries", **asked_for, newest="true"))


def _samples(view: View, samples: list[Item]) -> Table:
    """Samples of the funnel, which are filtered here: there are ten at most."""
    about = _about(view)
    wanted = [
        each
        for each in samples
        if view.get("reason") in (None, each["reason"]) and about.get("userId") in (None, each["userId"])
    ]
    return _sampled(view, wanted, None)


def _sampled(view: View, found: list[Item], curl: str | None) -> Table:
    def row(each: Item) -> Row:
        message, person, reason = each["messageId"], each["userId"], each["reason"]
        event = " ".join(str(part) for part in (each.get("type"), each.get("event")) if part)
        cells = [
            Cell(each["at"], view.here(message=message) if message else None),
            Cell(person, view.link("person", person=person) if person else None),
            Cell(event or message),
            Cell(each.get("subscription")),
            Cell(reason, reason_link(view, reason), reason=True),
            Cell(each["message"]),
        ]
        return Row(cells, selected=bool(message) and message == view.get("message"))

    return Table(
        caption=f"The newest samples, at most {_SAMPLES}",
        columns=("Time", "Person", "Event", "Mapping", "Reason", "Message"),
        rows=rows_of(found, row),
        empty="No sample.",
        fill=curl,
    )


def _sample(api: ControlAPI, view: View, name: str, message: str) -> dict[str, Any]:
    """A message with its deliveries to the destination instance, and the requests that carried it."""
    deliveries = api.get("deliveries", destination=name, messageId=message)["deliveries"]
    requests = api.get("journal", messageId=message, mask=view.masked)["entries"]
    person = next((each["userId"] for each in deliveries if each["userId"]), None)
    return {
        "message": message,
        "deliveries": deliveries,
        "attempts": _attempts(view, requests),
        "last": requests[-1] if requests else None,
        "person": view.link("person", person=person or message),
        "requests": view.link("requests", messageId=message),
    }


def _attempts(view: View, requests: list[Item]) -> Table:
    def row(each: Item) -> Row:
        request = view.link("requests", trace=each["traceId"])
        cells = [Cell(each["at"], request), Cell(each["status"] or "no answer"), Cell(each["outcome"])]
        return Row([*cells, Cell(", ".join(each["reasons"])), Cell(", ".join(each["faults"]))])

    return Table(
        caption="Attempts",
        columns=("Time", "Status", "Outcome", "Reasons", "Faults"),
        rows=rows_of(requests, row),
        empty="Nothing was sent for it.",
    )


def _dead_letters(api: ControlAPI, view: View, name: str) -> Table:
    after = view.number("dead")
    about: Mapping[str, Any] = {"destination": name, "reason": view.get("reason"), **_about(view)}
    found = api.get("dead-letters", **about, limit=_PAGE + 1, offset=after)["deadLetters"]

    def row(each: Item) -> Row:
        replay = Button(
            label="Replay",
            action=REPLAY.name,
            body={"destination": name, "messageIds": [each["messageId"]]},
        )
        cells = [
            Cell(each["at"], view.here(message=each["messageId"])),
            Cell(each["userId"], _person(view, each["userId"])),
            Cell(each["event"] or each["type"]),
            Cell(each["reason"], reason_link(view, each["reason"]), reason=True),
            Cell(each["message"]),
            Cell(None, button=replay),
        ]
        return Row(cells)

    return Table(
        caption="Dead letters",
        columns=("Time", "Person", "Event", "Reason", "Message", "Again"),
        rows=rows_of(found[:_PAGE], row),
        empty="There is no dead letter.",
        before=view.here(dead=max(after - _PAGE, 0) or None) if after else None,
        after=view.here(dead=after + _PAGE) if len(found) > _PAGE else None,
    )


def _person(view: View, user: str | None) -> Address | None:
    return view.link("person", person=user) if user else None


def _batches(api: ControlAPI, view: View, name: str) -> Table:
    after = view.number("batches")
    found = api.get("batches", destination=name, newest=True, limit=_PAGE + 1, offset=after)["batches"]

    def row(each: Item) -> Row:
        trace = each["traceId"]
        return Row(
            [
                Cell(each["lastAt"], view.link("requests", trace=trace) if trace else None),
                Cell(each["subscription"]),
                Cell(len(each["events"])),
                Cell(each["outcome"]),
                Cell(each["status"]),
                Cell(each["attempts"]),
                Cell(each["reason"], reason_link(view, each["reason"]), reason=True),
                Cell(each["segmentReports"]),
            ]
        )

    return Table(
        caption="Batches",
        columns=("Last attempt", "Mapping", "Events", "Outcome", "Status", "Attempts", "Reason", "Segment reports"),
        rows=rows_of(found[:_PAGE], row),
        empty="No batch was sent.",
        before=view.here(batches=max(after - _PAGE, 0) or None) if after else None,
        after=view.here(batches=after + _PAGE) if len(found) > _PAGE else None,
    )


SCREEN = Screen(
    group="Segment",
    name="Delivery Overview",
    path="destinations/delivery",
    template="segment/destination_delivery",
    values=_values,
    actions=(*FIXES, REPLAY),
    under="destinations",
)
