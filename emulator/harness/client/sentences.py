"""One line each for what happened to an event, a request, a record or a profile, as the control API shows them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from emulator.harness.client.graphql_response import body_in, errors_in, location_in, user_errors_in

Shown = dict[str, Any]

# Characters of a document on either side of the place that a syntax error names.
_AROUND = 24
_LONGEST_RECORD = 200


def delivery_line(delivery: Shown) -> str:
    """What became of an event at a destination."""
    name = f"{delivery['type']} {delivery['event']!r}" if delivery["event"] else delivery["type"]
    text = f"{name} to {delivery['destination']!r}: {delivery['outcome']}{_why(delivery)}"
    places = [place for error in _errors(delivery["response"] or "") if (place := location_in(error))]
    text += f" ({_place(places[0])} of the document)" if places else ""
    if delivery["outcome"] == "failed" and delivery["segmentReports"] == "delivered":
        text += " (Segment would report this as delivered)"
    return text


def request_line(request: Shown, *, near: bool = True) -> str:
    """What a request to GraphQL was told. `near` shows the document around the place of a syntax error."""
    status = "no answer" if request["status"] is None else request["status"]
    text = f"{', '.join(request['operations']) or 'unreadable document'}: {request['outcome']}, {status}"
    document = request["request"] if near else ""
    return "; ".join([text, *(_complaint(error, document) for error in _errors(request["response"]))])


def record_line(record: Shown, *, whole: bool = False) -> str:
    """What became of a record; `whole` shows the record itself, for one that nobody can be told from."""
    way = " ".join(str(record["record"][name]) for name in ("action", "audienceName") if name in record["record"])
    shown = json.dumps(record["record"], ensure_ascii=False)[:_LONGEST_RECORD] if whole else f"({way})" if way else ""
    text = f"record{f' {shown}' if shown else ''}: {record.get('outcome', 'rejected')}{_why(record)}"
    text += "".join(f"; {warning['code']} at {warning['key']!r}" for warning in record.get("warnings", ()))
    if record.get("waitsFor"):
        text += f", waits for {record['waitsFor']}"
    return text if record["at"] else f"{text}, due {record['dueAt']}"


def profile_line(profile: Shown) -> str:
    """Where a visible profile stands."""
    audiences = (
        ", ".join(f"{audience['name']} ({audience['id']})" for audience in profile["audiences"]) or "no audience"
    )
    return (
        f"{profile['email']} of advertiser {profile['advertiserId']}, visible since {profile['visibleAt']}, "
        f"{profile['marketingStatus']}, in {audiences}"
    )


def _why(item: Shown) -> str:
    return "".join([f", {item['reason']}" if item["reason"] else "", f": {item['message']}" if item["message"] else ""])


def _errors(response: str) -> Iterator[Shown]:
    """A GraphQL answer's errors and user errors."""
    body = body_in(response)
    yield from errors_in(body)
    yield from user_errors_in(body)


def _complaint(error: Shown, request: str) -> str:
    text, location = str(error.get("message")), location_in(error)
    return f"{text} ({_place(location)}{_around(location, request)})" if location else text


def _place(location: Mapping[str, int]) -> str:
    return f"line {location['line']}, column {location['column']}"


def _around(location: Mapping[str, int], request: str) -> str:
    """The document's text around a place, when the request can be read."""
    try:
        line = json.loads(request)["query"].split("\n")[location["line"] - 1]
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        return ""
    at = location["column"] - 1
    return f", near: {line[max(at - _AROUND, 0) : at + _AROUND]}"
