"""The requests to `/graphql` in the journal: searched, counted, and shown as JSON."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final

from emulator.clock import to_iso
from emulator.errors import unknown
from emulator.events import GraphQLExchanged, RecordProcessed
from emulator.faults import Match
from emulator.sandbox import Sandbox
from emulator.stackadapt.graphql.request import parse_body
from emulator.stackadapt.limits import Limits
from emulator.stackadapt.rules.outcomes import PENDING
from emulator.stored_values import StoredValues

Shown = dict[str, Any]
# What a request must match, by the names of `CRITERIA`. In an email `*` is any text.
Criteria = Mapping[str, str | int]
Processed = defaultdict[str, list[RecordProcessed]]

CRITERIA: Final = ("operation", "email", "advertiserId", "status", "outcome", "reason", "fault", "traceId")
COUNTS: Final = ("times", "atLeast", "atMost")
REFUSAL: Final = "refusal"
# Criteria that ask for refused requests too.
_OF_THE_RESPONSE = frozenset({"status", "outcome", "traceId"})
# The status of a request without a response.
NO_STATUS: Final = "none"

_USER_ERRORS = "userErrors"
_ALIASED = re.compile(rf"\b(\w+)[\s,]*:[\s,]*{_USER_ERRORS}\b")

_NEAREST = 5
_SHOWN_VALUES = 5
MASK: Final = "***"
# Which audience, and whether a profile enters or exits it: not personal data.
_NOT_PII = frozenset({"action", "audienceId", "audienceName"})


def read_criteria(given: Mapping[str, Any]) -> Criteria:
    """The criteria among the arguments of a control request, which are validated already."""
    return {name: given[name] for name in CRITERIA if given.get(name) is not None}


class RequestLog:
    """The requests in the journal of one sandbox, oldest first. `operations` are the root fields of the schema."""

    def __init__(self, sandbox: Sandbox, limits: Limits, operations: tuple[str, ...]) -> None:
        self._journal = sandbox.journal
        self._limits = limits
        self._operations = operations

    def find(
        self,
        criteria: Criteria,
        *,
        only: Callable[[GraphQLExchanged], bool] = lambda _: True,
        limit: int,
        offset: int = 0,
        mask: bool = False,
        content: bool = True,
    ) -> tuple[int, list[Shown]]:
        """How many requests match the criteria, and a page of them (`shown`). Raises InputError.

        Of these, those that are wanted by `only`. Without `content` they have no bodies and no records, for which each
        document is parsed.
        """
        processed = self._processed()
        found = [each for each in self._matching(criteria, processed)[0] if only(each)]
        page = found[offset : offset + limit]
        limits = self._limits if content else None
        return len(found), [shown(each, processed[each.trace_id], limits, mask=mask) for each in page]

    def verify(self, given: Mapping[str, Any]) -> Shown:
        """Whether the expected number of requests was made: `{"verified", "found", "expected", "nearest"}`.

        `given` has criteria and one of `times`, `atLeast`, `atMost`, or the latter two; without any, at least one
        request is expected. `nearest` are requests that miss one criterion, and which. A request that was refused
        before it ran is not counted, unless the criteria name its status, outcome or trace id; it is among the
        nearest. Raises InputError for an unknown operation; the rest of `given` is validated already.
        """
        criteria = read_criteria(given)
        expected = {name: given[name] for name in COUNTS if name in given} or {"atLeast": 1}
        processed = self._processed()
        found, missed = self._matching(criteria, processed)
        if not criteria.keys() & _OF_THE_RESPONSE:
            # Last, since the last are the nearest.
            missed = [*missed, *((each, REFUSAL) for each in found if each.refusal)]
            found = [each for each in found if not each.refusal]
        count = len(found)
        within = expected.get("atLeast", count) <= count <= expected.get("atMost", count)
        return {
            "verified": within and count == expected.get("times", count),
            "found": count,
            "expected": expected,
            "nearest": [
                _near_miss(each, name, criteria.get(name, "none"), processed[each.trace_id])
                for each, name in missed[-_NEAREST:]
            ],
        }

    def shown(self, exchange: GraphQLExchanged) -> Shown:
        """The JSON form of one request, without the outcomes of its records."""
        return shown(exchange, (), self._limits, mask=False)

    def clear(self) -> None:
        """Deletes everything in the journal."""
        self._journal.clear()

    def _processed(self) -> Processed:
        """The records that have an outcome, by the trace id of their request."""
        processed: Processed = defaultdict(list)
        for record in self._journal.entries(RecordProcessed):
            if record.outcome != PENDING:
                processed[record.trace_id].append(record)
        return processed

    def _matching(
        self, criteria: Criteria, processed: Processed
    ) -> tuple[list[GraphQLExchanged], list[tuple[GraphQLExchanged, str]]]:
        """The requests that match the criteria, and those that miss one, with its name. Raises InputError."""
        exchanges = self._journal.entries(GraphQLExchanged)
        operation = criteria.get("operation")
        requested = {name for each in exchanges for name in each.operations}
        if operation is not None and operation not in (*self._operations, *requested):
            raise unknown("root field", operation, self._operations, where="operation", listing=False)
        found, close = [], []
        for exchange in exchanges:
            records = processed[exchange.trace_id]
            missed = [name for name, value in criteria.items() if not _matches(exchange, name, value, records)]
            if not missed:
                found.append(exchange)
            elif exchange.refusal and not exchange.operations:
                # Whatever else it might have matched could not be read.
                close.append((exchange, REFUSAL))
            elif len(missed) == 1:
                close.append((exchange, missed[0]))
        return found, close


def _matches(exchange: GraphQLExchanged, name: str, value: str | int, records: Sequence[RecordProcessed]) -> bool:
    if name == "email":
        return Match(email=str(value)).matches_any(exchange.emails)
    return value in _values(exchange, name, records)


def _values(exchange: GraphQLExchanged, name: str, records: Sequence[RecordProcessed]) -> tuple[str | int, ...]:
    """What the request has where a criterion asks; `records` are those of it that have an outcome."""
    if name == "outcome":
        # Reads the response.
        return (outcome_of(exchange),)
    status = NO_STATUS if exchange.status is None else exchange.status
    values: dict[str, tuple[str | int, ...]] = {
        "operation": exchange.operations,
        "email": exchange.emails,
        "advertiserId": exchange.advertiser_ids,
        "status": (status,),
        "reason": tuple(dict.fromkeys(each.reason for each in records if each.reason)),
        "fault": exchange.matched,
        REFUSAL: (exchange.refusal or "none",),
        "traceId": (exchange.trace_id,),
    }
    return values[name]


def _near_miss(exchange: GraphQLExchanged, name: str, expected: str | int, records: Sequence[RecordProcessed]) -> Shown:
    values = _values(exchange, name, records)
    if len(values) > _SHOWN_VALUES:
        texts = [str(value) for value in values]
        values = tuple(get_close_matches(str(expected), texts, n=_SHOWN_VALUES, cutoff=0)) or values[:_SHOWN_VALUES]
    return {
        "traceId": exchange.trace_id,
        "at": to_iso(exchange.at),
        "operations": list(exchange.operations),
        "status": exchange.status,
        "refusal": exchange.refusal,
        "credential": exchange.credential,
        "differs": name,
        "expected": expected,
        "found": list(values),
    }


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
    if not isinstance(body, dict) or not isinstance(body.get("data") or {}, dict):
        return "notGraphql"
    if "errors" in body:
        return "errors"
    payloads = (payload for payload in (body.get("data") or {}).values() if isinstance(payload, dict))
    keys = (_USER_ERRORS, *_aliases(exchange.request))
    return _USER_ERRORS if any(payload.get(key) for payload in payloads for key in keys) else "accepted"


def _aliases(request: str) -> Sequence[str]:
    """The keys besides `userErrors` that a document gives to it."""
    try:
        return _ALIASED.findall(json.loads(request)["query"]) if _USER_ERRORS in request else ()
    except (ValueError, TypeError, KeyError, RecursionError):
        return ()


def shown(
    exchange: GraphQLExchanged, processed: Sequence[RecordProcessed], limits: Limits | None, *, mask: bool
) -> Shown:
    """The JSON form. `processed` are the records of this request that have an outcome; `mask` hides personal data.

    Without `limits`, those of a document, it has no bodies and no records.
    """
    stored = StoredValues()
    item: Shown = {
        "at": to_iso(exchange.at),
        "traceId": exchange.trace_id,
        "token": exchange.token_name,
        "credential": exchange.credential,
        "method": exchange.method,
        "path": exchange.path,
        "refusal": exchange.refusal,
        "operations": list(exchange.operations),
        "advertiserIds": list(exchange.advertiser_ids),
        "status": exchange.status,
        "outcome": stored.read("outcome", lambda: outcome_of(exchange), "notGraphql"),
        "durationMs": round(exchange.duration_ms, 3),
        "faults": list(exchange.matched),
        "settled": dict(Counter(end.outcome for end in processed)),
        "reasons": dict(Counter(end.reason for end in processed if end.reason)),
    }
    if limits is not None:
        item["records"] = stored.read("records", lambda: _records(exchange, limits, mask=mask), [])
        # A document that cannot be parsed may contain anything anywhere, so bodies are masked as a whole.
        item["request"] = MASK if mask else exchange.request
        item["response"] = MASK if mask else exchange.response
    return stored.shown(item)


def _records(exchange: GraphQLExchanged, limits: Limits, *, mask: bool) -> list[Shown]:
    parsed = parse_body(exchange.request.encode(), limits)
    return [
        {"operation": each.operation, "advertiserIds": list(each.advertiser_ids), "record": _record(record, mask)}
        for each in (parsed.contents if parsed else ())
        for record in each.records
    ]


def _record(record: Mapping[str, Any], mask: bool) -> Mapping[str, Any]:
    return {key: value if key in _NOT_PII else MASK for key, value in record.items()} if mask else record
