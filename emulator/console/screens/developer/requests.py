"""Requests: the journal of `/graphql`, newest first, by any of its criteria, and whether such requests were made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from emulator.console.actions import Action
from emulator.console.control_api import ControlAPI, Refused
from emulator.console.screens.developer.one_request import one_request
from emulator.console.screens.developer.reasons import reason_codes, reason_link
from emulator.console.screens.screen import Screen, Values
from emulator.console.tables import Cell, Row, Table, rows_of
from emulator.console.view import View

_PAGE = 50
# The criteria that `verify` has, and those that only the list has.
_VERIFIED: Final = ("operation", "email", "status", "outcome", "reason", "fault")
_FILTERS: Final = (*_VERIFIED, "person", "messageId")
_OUTCOMES: Final = ("accepted", "userErrors", "errors", "refused", "notGraphql", "noAnswer")
_COUNTS: Final = {"times": "exactly", "atLeast": "at least", "atMost": "at most"}


def _values(api: ControlAPI, view: View) -> Values:
    filters = {name: view.get(name) for name in _FILTERS}
    trace = view.get("trace")
    kinds = api.get("faults/kinds")["kinds"]
    return {
        "filters": filters,
        "outcomes": _OUTCOMES,
        "reasons": reason_codes(),
        "faults": [*(kind["name"] for kind in kinds), "rateLimit"],
        "counts": _COUNTS,
        "table": _table(api, view, filters),
        "verification": _verification(api, view) if view.get("count") else None,
        "selected": one_request(api, view, trace) if trace else None,
    }


def _table(api: ControlAPI, view: View, filters: Mapping[str, str | None]) -> Table:
    total = api.get("journal", **filters, limit=1, content=False)["total"]
    # Newest first: a page counts back from `end`, which stays where it is while requests come in.
    end = min(view.number("end") or total, total)
    start = max(end - _PAGE, 0)
    found = api.get("journal", **filters, limit=end - start, offset=start, content=False)["entries"] if end else []
    return Table(
        caption=f"Requests to /graphql ({total})",
        columns=("Time", "Operation", "Status", "Outcome", "Reasons", "Faults", "Duration"),
        rows=rows_of(found[::-1], lambda item: _row(item, view)),
        empty="No request matches.",
        fill=f"""curl -s {view.root}/graphql -H 'Authorization: Bearer TOKEN' -H 'Content-Type: application/json' """
        """-d '{"query": "{ tokenInfo { scopesByAdvertiser { advertiser { id } } } }"}'""",
        before=view.here(end=min(end + _PAGE, total), trace=None) if end < total else None,
        after=view.here(end=start, trace=None) if start else None,
    )


def _row(item: Mapping[str, Any], view: View) -> Row:
    reasons = [
        Cell(f"{code} ({count})" if count > 1 else code, reason_link(view, code), reason=True)
        for code, count in item["reasons"].items()
    ]
    cells = [
        Cell(item["at"], view.here(trace=item["traceId"])),
        Cell(", ".join(item["operations"]) or item["refusal"] or "not readable"),
        Cell(item["status"] or "no answer"),
        Cell(item["outcome"]),
        Cell(None, parts=reasons),
        Cell(", ".join(item["faults"]), view.link("faults")),
        Cell(f"{item['durationMs']:.0f} ms"),
    ]
    return Row(cells, selected=item["traceId"] == view.get("trace"))


def _verification(api: ControlAPI, view: View) -> dict[str, Any]:
    """Whether requests with the criteria of the filters were made, and those that come near."""
    asked: dict[str, Any] = {name: _number(view.get(name)) for name in _VERIFIED if view.get(name)}
    asked[view.get("count") or ""] = _number(view.get("number") or "1")
    shown: dict[str, Any] = {"curl": view.curl("journal/verify", sent=asked), "asked": asked}
    try:
        answer = api.post("journal/verify", asked)
    except Refused as refused:
        return {**shown, "error": refused.error}
    expected = " and ".join(f"{_COUNTS[name]} {count}" for name, count in answer["expected"].items())
    nearest = Table(
        caption="Near misses",
        columns=("Time", "Operation", "Status", "Differs in", "Expected", "Found"),
        rows=rows_of(answer["nearest"], lambda item: _near_miss(item, view)),
        empty="No request misses by one criterion.",
    )
    return {**shown, "answer": answer, "expected": expected, "nearest": nearest}


def _near_miss(item: Mapping[str, Any], view: View) -> Row:
    return Row(
        [
            Cell(item["at"], view.here(trace=item["traceId"])),
            Cell(", ".join(item["operations"]) or item["refusal"] or "not readable"),
            Cell(item["status"] or "no answer"),
            Cell(item["differs"]),
            Cell(item["expected"]),
            Cell(", ".join(map(str, item["found"])) or "none"),
        ]
    )


def _number(text: str | None) -> Any:
    """An integer where the text is one, as the API takes a status and a count."""
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 10 else text


SCREEN = Screen(
    group="Developer",
    name="Requests",
    path="requests",
    template="developer/requests",
    values=_values,
    actions=(
        Action("clear journal", "DELETE", "/_emulator/journal"),
        Action("verify requests", "POST", "/_emulator/journal/verify"),
    ),
)
