"""People who did not arrive, by reason: those in no audience, those whose events Segment did not deliver, and those
whose records StackAdapt refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from emulator.console.control_api import ControlAPI, Refused
from emulator.console.screens.developer.reasons import reason_link
from emulator.console.tables import Cell, Row, Table, rows_of
from emulator.console.view import View

# Who, where, and the reason.
Stopped = tuple[str, str, str]

# The stages of `why` before Segment sends an event.
_BEFORE_EVENTS = ("call", "profile", "audience")
# The first ones of each kind; a page with all of them would not be read.
_MOST = 50
# Profiles that are read to find those in no audience, and how many of these are asked about: each is a question of its
# own, which reads the journal.
_READ = 1000
_ASKED = 20


def outside_audiences(api: ControlAPI) -> list[Stopped]:
    """The first people who are in no audience and have not arrived. It takes long."""
    found = []
    for named in islice(_outside(api), _ASKED):
        stopped = api.get("why", **named, search=False)["stopped"]
        if stopped and stopped["stage"] in _BEFORE_EVENTS:
            found.append((next(iter(named.values())), "Engage", stopped["reason"]))
    return found


def _outside(api: ControlAPI) -> Iterator[dict[str, str]]:
    """The user ids, or emails, of those in no audience."""
    for each in api.get("space/profiles", limit=_READ)["profiles"]:
        if not each["audiences"] and (each["userId"] or each["email"]):
            yield {"userId": each["userId"]} if each["userId"] else {"email": each["email"]}


def reasons_of(api: ControlAPI, outside: Sequence[Stopped]) -> dict[str, int]:
    """How many events and records each reason stopped, and how many of those outside of audiences."""
    counts = api.get("counts")
    found = Counter(reason for *_, reason in outside)
    for tally in (*counts["segment"]["reasons"].values(), counts["stackadapt"]["rejections"]):
        found.update(tally)
    return dict(sorted(found.items()))


def missing_people(api: ControlAPI, view: View, outside: Sequence[Stopped]) -> Table:
    """Each person once for each reason. Those outside of audiences are added later, below the others."""
    reason = view.get("reason")
    added = (each for each in outside if reason in (None, each[2]))
    rows = [_row(view, *each) for each in dict.fromkeys([*_stopped(api, reason), *added])]
    return Table(
        caption="People who did not arrive",
        columns=("Person", "Stopped at", "Reason"),
        rows=rows_of(rows, lambda row: row),
        empty="No person was stopped for this reason." if reason else "No person was stopped.",
    )


def missing_in_words(api: ControlAPI) -> str | None:
    """How many people did not arrive, as a sentence, where no profile is visible; None when no one was stopped."""
    outside = {next(iter(named.values())) for named in _outside(api)}
    number = len({name for name, *_ in _stopped(api, None)} | outside)
    if not number:
        return None
    # Each kind is listed up to a number.
    more = "At least " if number >= _MOST else ""
    return f"{more}{number} {'person' if number == 1 else 'people'} did not arrive"


def _stopped(api: ControlAPI, reason: str | None) -> Iterator[Stopped]:
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
