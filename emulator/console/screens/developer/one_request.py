"""One request of the journal: its document, variables, answer and records with their ends; how to send it again."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

from graphql import GraphQLError, parse, print_ast

from emulator.console.control_api import ControlAPI, Refused
from emulator.console.screens.developer.reasons import reason_link
from emulator.console.tables import Cell, Row, Table, rows_of
from emulator.console.view import View

_RECORDS = 100
# Parsing a longer one would make the page slow.
_LONGEST_DOCUMENT = 100_000


def one_request(api: ControlAPI, view: View, trace: str) -> dict[str, Any] | None:
    """What the page shows of the request with this trace id; None when the journal does not have it any more."""
    found = api.get("journal", traceId=trace, limit=1, mask=view.masked)["entries"]
    if not found:
        return None
    entry = found[0]
    body = _parsed(entry.get("request"))
    query = body.get("query")
    return {
        "entry": entry,
        "document": pretty(query) if isinstance(query, str) else entry.get("request"),
        "variables": body.get("variables"),
        "records": _records(api, view, trace),
        "sent": entry.get("records"),
        "again": _again(api, view, trace, entry),
        "graphql": view.link("graphql", document=query, variables=_text(body.get("variables")))
        if isinstance(query, str) and len(query) < _LONGEST_DOCUMENT // 10 and not view.masked
        else None,
        "journal_curl": view.curl("journal", traceId=trace),
    }


def pretty(document: str) -> str:
    """A GraphQL document with its own lines and indentation; as it is when it cannot be parsed or is long."""
    if len(document) > _LONGEST_DOCUMENT:
        return document
    try:
        return print_ast(parse(document))
    except (GraphQLError, RecursionError):
        return document


def _records(api: ControlAPI, view: View, trace: str) -> Table:
    found = api.get("records", requestId=trace, limit=_RECORDS)["records"]

    def row(item: Mapping[str, Any]) -> Row:
        person = item["email"]
        return Row(
            [
                Cell(item["index"] + 1),
                Cell(person, view.link("person", person=person) if person else None),
                Cell(item["outcome"]),
                Cell(item["reason"], reason_link(view, item["reason"]), reason=True),
                Cell(item["dueAt"] if item["outcome"] == "queued" else None),
            ]
        )

    return Table(
        caption="Records and how each ended",
        columns=("Record", "Email", "Outcome", "Reason", "Due"),
        rows=rows_of(found, row),
        empty="The request has no records, or StackAdapt did not accept them.",
    )


def _parsed(text: Any) -> dict[str, Any]:
    try:
        body = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _text(variables: Any) -> str | None:
    return json.dumps(variables, indent=2, ensure_ascii=False) if variables else None


def _again(api: ControlAPI, view: View, trace: str, entry: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The request to copy; nothing of it on a masked page but the recording, which has no personal data."""
    try:
        recording = api.response("journal/recording", traceId=trace, limit=1).get_data(as_text=True)
    except Refused:
        recording = ""
    recorded = [("As a recorded exchange, without personal data", recording)] if recording else []
    if view.masked:
        return recorded
    return [("As curl", _curl(view, entry)), ("As pytest", _pytest(entry)), *recorded]


def _curl(view: View, entry: Mapping[str, Any]) -> str:
    """Sends the request again; the journal knows the token by its name only."""
    headers = ["-H", "Authorization: Bearer TOKEN", "-H", "Content-Type: application/json"]
    return shlex.join(["curl", "-s", f"{view.root}/graphql", *headers, "--data-raw", str(entry.get("request"))])


def _pytest(entry: Mapping[str, Any]) -> str:
    body = _parsed(entry.get("request"))
    document, variables = body.get("query"), body.get("variables")
    more = f", {variables!r}" if variables else ""
    return (
        "def test_as_in_the_console(stackadapt):\n"
        f"    response = stackadapt.post({document!r}{more})\n"
        f"    assert response.status_code == {entry.get('status')!r}\n"
    )
