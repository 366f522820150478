"""An exchange of the journal as people look at it: decoded records, what became of them, PII masked on demand."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

from graphql import GraphQLError

from emulator.clock import to_iso
from emulator.events import GraphQLExchanged, RecordProcessed
from emulator.stackadapt.graphql.document import chosen_operation, parse_document
from emulator.stackadapt.graphql.request_body import BadBody, read_body
from emulator.stackadapt.graphql.request_contents import FieldContents, contents_of
from emulator.stackadapt.limits import Limits

Shown = dict[str, Any]

MASK: Final = "***"
# These say which audience and which way, not who.
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
    answers = (answer for answer in (body.get("data") or {}).values() if isinstance(answer, dict))
    return "userErrors" if any(answer.get("userErrors") for answer in answers) else "accepted"


def carried_in(exchange: GraphQLExchanged, limits: Limits) -> list[FieldContents]:
    """The root fields and records of a request, decoded again from its body; none when it cannot be read."""
    try:
        params = read_body(exchange.request.encode())
        document = parse_document(params.query, limits)
    except (BadBody, GraphQLError):
        return []
    operation = chosen_operation(document, params.operation_name)
    return [] if isinstance(operation, GraphQLError) else contents_of(document, operation, params.variables)


def shown(exchange: GraphQLExchanged, settled: Iterable[RecordProcessed], limits: Limits, *, mask: bool) -> Shown:
    """The exchange in its JSON form. `settled` are the records of this request that have reached their end."""
    ends = list(settled)
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
            for each in carried_in(exchange, limits)
            for record in each.records
        ],
        "settled": dict(Counter(end.outcome for end in ends)),
        "reasons": dict(Counter(end.reason for end in ends if end.reason)),
        # A document that cannot be parsed can hold anything anywhere, so bodies are masked as a whole.
        "request": MASK if mask else exchange.request,
        "response": MASK if mask else exchange.response,
    }


def _record(record: Mapping[str, Any], mask: bool) -> Mapping[str, Any]:
    return {key: value if key in _NOT_PII else MASK for key, value in record.items()} if mask else record
