"""People who did not arrive, by reason: those whose events Segment did not deliver, and those whose records StackAdapt
refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from emulator.console.control_api import ControlAPI, Refused
from emulator.console.screens.developer.reasons import reason_link
from emulator.console.tables import Cell, Row, Table, rows_of
from emulator.console.view import View

# The first ones of each kind; a page with all of them would not be read.
_MOST = 50


def reasons_of(api: ControlAPI) -> dict[str, int]:
    """How many events and records each reason stopped."""
    counts = api.get("counts")
    found: dict[str, int] = {}
    for tally in (*counts["segment"]["reasons"].values(), counts["stackadapt"]["rejections"]):
        for reason, count in tally.items():
            found[reason] = found.get(reason, 0) + count
    return dict(sorted(found.items()))


def missing_people(api: ControlAPI, view: View) -> Table:
    """Each person once for each reason, those of Segment first."""
    reason = view.get("reason")
    rows = [_row(view, *each) for each in dict.fromkeys(_stopped(api, reason))]
    return Table(
        caption="People who did not arrive",
        columns=("Person", "Stopped at", "Reason"),
        rows=rows_of(rows, lambda row: row),
        empty="No person was stopped for this reason." if reason else "No person was stopped.",
    )


def missing_in_words(api: ControlAPI) -> str | None:
    """How many people did not arrive, as a sentence; None when no one was stopped."""
    number = len({name for name, *_ in _stopped(api, None)})
    if not number:
        return None
    # Each kind is listed up to a number.
    more = "At least " if number >= _MOST else ""
    return f"{more}{number} {'person' if number == 1 else 'people'} did not arrive"


def _stopped(api: ControlAPI, reason: str | None) -> Iterator[tuple[str, str, str]]:
    undelivered = [
        *api.get("dead-letters", reason=reason, limit=_MOST)["deadLetters"],
        *api.get("deliveries", outcome="discarded", limit=_MOST)["deliveries"],
    ]
    for each in undelivered:
        if each.get("reason") and reason in (None, each["reason"]) and (name := _name_in(each.get("payload"))):
            yield name, f"Segment, {each['destination']}", each["reason"]
    for each in _rejections(api, reason):
        if name := _name_in(each.get("record")):
            yield name, f"StackAdapt, advertiser {each['advertiserId']}", each["reason"]


def _rejections(api: ControlAPI, reason: str | None) -> list[Any]:
    try:
        found: list[Any] = api.get("rejections", reason=reason, limit=_MOST)["rejections"]
    except Refused:
        # A reason of Segment.
        return []
    return found


def _name_in(document: Any) -> str | None:
    """The user id or email in an event or a record."""
    if not isinstance(document, Mapping):
        return None
    traits = document.get("traits")
    places = (document, traits if isinstance(traits, Mapping) else {})
    names = (place.get(name) for name in ("userId", "email") for place in places)
    return next((str(name) for name in names if name), None)


def _row(view: View, name: str, stage: str, reason: str) -> Row:
    return Row(
        [
            Cell(name, view.link("person", person=name)),
            Cell(stage),
            Cell(reason, reason_link(view, reason), reason=True),
        ]
    )
