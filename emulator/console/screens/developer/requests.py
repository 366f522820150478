"""Requests: the journal of `/graphql`, newest first, and one request with its document, variables and answer."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

from emulator.console.actions import Action
from emulator.console.control_api import ControlAPI
from emulator.console.screens.developer.reasons import reason_link
from emulator.console.screens.screen import Screen, Values
from emulator.console.tables import Cell, Row, Table, rows_of
from emulator.console.view import View

_PAGE = 50
_FILTERS = ("operation", "email", "outcome", "messageId")


def _values(api: ControlAPI, view: View) -> Values:
    filters = {name: view.get(name) for name in _FILTERS}
    trace = view.get("trace")
    return {
        "filters": filters,
        "table": _table(api, view, filters),
        "selected": _selected(api, view, trace) if trace else None,
    }


def _table(api: ControlAPI, view: View, filters: Mapping[str, str | None]) -> Table:
    total = api.get("journal", **filters, limit=1)["total"]
    # Newest first: a page counts back from `end`, which stays where it is while requests come in.
    end = min(view.number("end") or total, total)
    start = max(end - _PAGE, 0)
    found = api.get("journal", **filters, limit=end - start, offset=start)["entries"] if end else []
    return Table(
        caption=f"Requests to /graphql ({total})",
        columns=("Time", "Operation", "Status", "Outcome", "Reasons", "Faults"),
        rows=rows_of(found[::-1], lambda item: _row(item, view)),
        empty="No request matches.",
        fill=f"""curl -s {view.root}/graphql -H 'Authorization: Bearer TOKEN' -H 'Content-Type: application/json' """
        """-d '{"query": "{ tokenInfo { scopesByAdvertiser { advertiser { id } } } }"}'""",
        before=view.here(end=min(end + _PAGE, total), trace=None) if end < total else None,
        after=view.here(end=start, trace=None) if start else None,
    )


def _row(item: Mapping[str, Any], view: View) -> Row:
    reasons = [*item["reasons"]]
    reason = Cell(reasons[0], reason_link(view, reasons[0]), reason=True) if reasons else Cell(None)
    cells = [
        Cell(item["at"], view.here(trace=item["traceId"])),
        Cell(", ".join(item["operations"]) or item["refusal"] or "not readable"),
        Cell(item["status"] or "no answer"),
        Cell(item["outcome"]),
        reason,
        Cell(", ".join(item["faults"])),
    ]
    return Row(cells, selected=item["traceId"] == view.get("trace"))


def _selected(api: ControlAPI, view: View, trace: str) -> dict[str, Any] | None:
    found = api.get("journal", traceId=trace, limit=1, mask=view.masked)["entries"]
    if not found:
        return None
    entry = found[0]
    body = _parsed(entry.get("request"))
    return {
        "entry": entry,
        "document": body.get("query", entry.get("request")),
        "variables": body.get("variables"),
        "records": entry.get("records"),
        "curl": None if view.masked else _curl(view, entry),
        "journal_curl": view.curl("journal", traceId=trace),
    }


def _parsed(text: Any) -> dict[str, Any]:
    try:
        body = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _curl(view: View, entry: Mapping[str, Any]) -> str:
    """Sends the request again; the journal knows the token by its name only."""
    headers = ["-H", "Authorization: Bearer TOKEN", "-H", "Content-Type: application/json"]
    return shlex.join(["curl", "-s", f"{view.root}/graphql", *headers, "--data-raw", str(entry.get("request"))])


SCREEN = Screen(
    group="Developer",
    name="Requests",
    path="requests",
    template="developer/requests",
    values=_values,
    actions=(Action("clear journal", "DELETE", "/_emulator/journal"),),
)
