"""One line each for what happened to an event, a request, a record or a profile, as the control API shows them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

Shown = dict[str, Any]

# Characters of a document on either side of the place that a syntax error names.
_AROUND = 24
_LONGEST_RECORD = 200


def delivery_line(delivery: Shown) -> str:
    """What became of an event at a destination."""
    name = f"{delivery['type']} {delivery['event']!r}" if delivery["event"] else delivery["type"]
    text = f"{name} to {delivery['destination']!r}: {delivery['outcome']}{_why(delivery)}"
    places = [_place(error) for error in _errors(delivery["response"] or "") if error.get("locations")]
    text += f" ({places[0]} of the document)" if places else ""
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
    try:
        body = json.loads(response)
    except ValueError:
        return
    answers = [answer for answer in (body.get("data") or {}).values() if isinstance(answer, dict)]
    yield from body.get("errors", ())
    for answer in answers:
        yield from answer.get("userErrors", ())


def _complaint(error: Shown, request: str) -> str:
    text = str(error["message"])
    if not error.get("locations"):
        return text
    return f"{text} ({_place(error)}{_around(error['locations'][0], request)})"


def _place(error: Shown) -> str:
    return "line {line}, column {column}".format(**error["locations"][0])


def _around(location: Shown, request: str) -> str:
    """The document's text around a place, when the request can be read."""
    try:
        line = json.loads(request)["query"].split("\n")[location["line"] - 1]
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        return ""
    at = location["column"] - 1
    return f", near: {line[max(at - _AROUND, 0) : at + _AROUND]}"
