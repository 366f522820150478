"""A request of the journal in its JSON form: decoded records, their outcomes, personal data masked if required."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

from emulator.clock import to_iso
from emulator.events import GraphQLExchanged, RecordProcessed
from emulator.stackadapt.graphql.request import parse_body
from emulator.stackadapt.limits import Limits

Shown = dict[str, Any]

MASK: Final = "***"
# Which audience, and whether a profile enters or exits it: not personal data.
_NOT_PII = frozenset({"action", "audienceId", "audienceName"})


def outcome_of(exchange: GraphQLExchanged) -> str:
    """`accepted`, `userErrors`, `errors` (GraphQL's), `refused` (a status above 399), `notGraphql` or `noAnswer`."""
    if exchange.status is None:
        return "noAnswer"
    if exchange.status >= 400:
        return "refused"
    try:
        body = json.loads(exchange.response)
    except (ValueError, RecursionError):
        return "notGraphql"
    if "errors" in body:
        return "errors"
    payloads = (payload for payload in (body.get("data") or {}).values() if isinstance(payload, dict))
    return "userErrors" if any(payload.get("userErrors") for payload in payloads) else "accepted"


def shown(exchange: GraphQLExchanged, processed: Iterable[RecordProcessed], limits: Limits, *, mask: bool) -> Shown:
    """The JSON form. `processed` are the records of this request that have an outcome."""
    ends = list(processed)
    parsed = parse_body(exchange.request.encode(), limits)
    return {
        "at": to_iso(exchange.at),
        "traceId": exchange.trace_id,
        "token": exchange.token_name,
        "operations": list(exchange.operations),
        "advertiserIds": list(exchange.advertiser_ids),
        "status": exchange.status,
        "outcome": outcome_of(exchange),
        "durationMs": round(exchange.duration_ms, 3),
        "faults": list(exchange.matched),
        "records": [
            {"operation": each.operation, "advertiserIds": list(each.advertiser_ids), "record": _record(record, mask)}
            for each in (parsed.contents if parsed else ())
            for record in each.records
        ],
        "settled": dict(Counter(end.outcome for end in ends)),
        "reasons": dict(Counter(end.reason for end in ends if end.reason)),
        # A document that cannot be parsed may contain anything anywhere, so bodies are masked as a whole.
        "request": MASK if mask else exchange.request,
        "response": MASK if mask else exchange.response,
    }


def _record(record: Mapping[str, Any], mask: bool) -> Mapping[str, Any]:
    return {key: value if key in _NOT_PII else MASK for key, value in record.items()} if mask else record
