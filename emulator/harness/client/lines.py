"""One line of text each for an event, a request, a record and a profile, as the control API returns them.

A GraphQL response may come from any server, so that its shape is not taken for granted: whatever is missing or of
another type than GraphQL requires counts as no error.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from emulator.events import REFUSALS
from emulator.stackadapt.rules.outcomes import UNMAPPED_KEY

Shown = dict[str, Any]

# Characters of a document to show on either side of a syntax error.
_AROUND = 24
_LONGEST_RECORD = 200
_MOST_KEYS = 5
_MOST_USERS = 3
_EXPLAINED_BY_RESPONSE = ("invalid_body", "invalid_fault", "body_too_large", "unknown_path", "untrusted_host")
# What a warning says beside its code and key.
_DETAILS = ("from", "status", "declared")


def delivery_line(delivery: Shown) -> str:
    """The outcome of an event at a destination."""
    name = f"{delivery['type']} {delivery['event']!r}" if delivery["event"] else delivery["type"]
    text = f"{name} to {delivery['destination']!r}: {delivery['outcome']}{_why(delivery)}"
    locations = [location for error in _errors(delivery["response"] or "") if (location := location_in(error))]
    text += f" ({_place(locations[0])} of the document)" if locations else ""
    if delivery["outcome"] == "failed" and delivery["segmentReports"] == "delivered":
        text += " (Segment would report this as delivered)"
    return text


def request_line(request: Shown, *, near: bool = True) -> str:
    """The outcome of a GraphQL request. `near` quotes the document around a syntax error."""
    status = "no answer" if request["status"] is None else request["status"]
    operations = ", ".join(request["operations"]) or "unreadable document"
    if request["refusal"]:
        why = refusal_text(request["refusal"], request["credential"], request["token"], request["response"])
        return f"{operations}: refused with {status}, {why}"
    text = f"{operations}: {request['outcome']}, {status}"
    document = request["request"] if near else ""
    return "; ".join([text, *(_error_text(error, document) for error in _errors(request["response"]))])


def record_line(record: Shown, *, whole: bool = False) -> str:
    """The outcome of a record. `whole` includes the record itself, for one that cannot be attributed to a profile."""
    change = " ".join(str(record["record"][name]) for name in ("action", "audienceName") if name in record["record"])
    shown = f"({change})" if change else ""
    if whole:
        shown = json.dumps(record["record"], ensure_ascii=False)[:_LONGEST_RECORD]
    text = f"record{f' {shown}' if shown else ''}: {record.get('outcome', 'rejected')}{_why(record)}"
    more = "".join(f"; {clause}" for clause in _warnings(record.get("warnings", ())))
    if record.get("waitsFor"):
        more += f", waits for {record['waitsFor']}"
    if record.get("outcome") == "queued":
        more += f", due {record['dueAt']}"
    return f"{text.rstrip('.')}{more}" if more else text


def profile_line(profile: Shown) -> str:
    """The state of a visible profile."""
    audiences = ", ".join(f"{each['name']} ({each['id']})" for each in profile["audiences"]) or "no audience"
    return (
        f"{profile['email']} of advertiser {profile['advertiserId']}, visible since {profile['visibleAt']}, "
        f"{profile['marketingStatus']}, in {audiences}"
    )


def _warnings(warnings: Iterable[Shown]) -> Iterator[str]:
    """A clause for each warning, and one for all keys that no mapping named at any time."""
    never: list[str] = []
    for warning in warnings:
        if warning["code"] != UNMAPPED_KEY:
            detail = next((f", {name} {warning[name]}" for name in _DETAILS if name in warning), "")
            yield f"{warning['code']} at {warning['key']!r}{detail}"
        elif warning["next"] is not None:
            later = f"mapping {warning['next']} names it since {warning['nextSince']}"
            yield f"key {warning['key']!r} was in no active mapping; {later}"
        elif (other := warning["elsewhere"]) is not None:
            named = f"mapping {other['mapping']} (advertiser {other['advertiserId']}, {other['provider']})"
            yield f"key {warning['key']!r} is in no mapping that applies; {named} names it"
        else:
            never.append(repr(warning["key"]))
    if never:
        others = f" and {len(never) - _MOST_KEYS} more" if len(never) > _MOST_KEYS else ""
        keys = f"key {never[0]} is" if len(never) == 1 else f"keys {', '.join(never[:_MOST_KEYS])}{others} are"
        yield f"{keys} in no active mapping"


def refusal_text(refusal: str, credential: str | None, token: str | None, response: str) -> str:
    """Why a GraphQL request was refused before it ran: `unknown token (sha256:ab12cd34)`."""
    if refusal in _EXPLAINED_BY_RESPONSE:
        # The error in a GraphQL response, or the whole response where it is plain text.
        text = "; ".join(str(error.get("message")) for error in errors_in(body_in(response))) or response
        return text.rstrip(".")
    text = f"{REFUSALS.get(refusal, refusal)}{f' {token!r}' if token else ''}"
    return f"{text} ({credential})" if credential else text


def named(users: Sequence[object]) -> str:
    """`u1, u2 and 3 more`; empty without users."""
    known = list(dict.fromkeys(str(user) for user in users if user is not None))
    others = f" and {len(known) - _MOST_USERS} more" if len(known) > _MOST_USERS else ""
    return f"{', '.join(known[:_MOST_USERS])}{others}"


def _why(item: Shown) -> str:
    return "".join([f", {item['reason']}" if item["reason"] else "", f": {item['message']}" if item["message"] else ""])


def _errors(response: str) -> Iterator[Shown]:
    """The errors and user errors of a GraphQL response."""
    body = body_in(response)
    yield from errors_in(body)
    yield from user_errors_in(body)


def _error_text(error: Shown, request: str) -> str:
    text, location = str(error.get("message")), location_in(error)
    return f"{text} ({_place(location)}{_around(location, request)})" if location else text


def _place(location: Mapping[str, int]) -> str:
    return f"line {location['line']}, column {location['column']}"


def _around(location: Mapping[str, int], request: str) -> str:
    """The text of the document around a location; empty when the request cannot be read."""
    try:
        line = json.loads(request)["query"].split("\n")[location["line"] - 1]
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        return ""
    at = location["column"] - 1
    return f", near: {line[max(at - _AROUND, 0) : at + _AROUND]}"


def body_in(text: str) -> Shown:
    """The JSON object in `text`; an empty one when there is none."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def errors_in(body: Shown) -> list[Shown]:
    """The top-level errors."""
    return _objects(body.get("errors"))


def user_errors_in(body: Shown) -> Iterator[Shown]:
    """The user errors in the payloads of all mutations."""
    data = body.get("data")
    for payload in _objects(list(data.values()) if isinstance(data, dict) else None):
        yield from _objects(payload.get("userErrors"))


def location_in(error: Shown) -> Mapping[str, int] | None:
    """The first location of an error in the document: `line` and `column`, counted from 1."""
    for location in _objects(error.get("locations")):
        if all(isinstance(location.get(name), int) for name in ("line", "column")):
            return location
    return None


def _objects(value: object) -> list[Shown]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
