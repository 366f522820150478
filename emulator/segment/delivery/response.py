"""What an answer means for the events of a batch.

The published destination takes every status from 200 to 299 for success and does not read the body, so a request that
GraphQL refused is reported as delivered. Here the body is read: such events count as failed, with what Segment would
report beside it. Which statuses are tried again is the published classification of the mapping engine's errors.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from emulator.mapping import EngineError
from emulator.protocol import TRACE_HEADER
from emulator.transport import Response, TransportError

SENT = "sent"
DISCARDED = "discarded"
REJECTED = "rejected"
RETRYING = "retrying"
FAILED = "failed"

GRAPHQL_ERRORS = "GRAPHQL_ERRORS"
USER_ERRORS = "USER_ERRORS"
NOT_GRAPHQL = "NOT_GRAPHQL"

EXCERPT_CHARACTERS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryResult:
    """`sent`, `failed` or `retrying`, and why. `locations` point into the GraphQL document, counted from 1.

    `trace_id` is the name of the request at an emulated StackAdapt.
    """

    outcome: str
    reason: str | None = None
    message: str | None = None
    locations: tuple[Mapping[str, int], ...] = ()
    status: int | None = None
    response: str | None = None
    trace_id: str | None = None


def classify_response(answer: Response) -> DeliveryResult:
    """What an answer means."""
    excerpt, trace_id = answer.text[:EXCERPT_CHARACTERS], answer.headers.get(TRACE_HEADER)
    if not 200 <= answer.status <= 299:
        return DeliveryResult(
            outcome=_outcome(EngineError("HTTPError", answer.reason, status=answer.status)),
            reason=str(answer.status),
            message=f"{answer.status} {answer.reason}".strip(),
            status=answer.status,
            response=excerpt,
            trace_id=trace_id,
        )
    reason, message, locations = _read(answer.text)
    return DeliveryResult(
        outcome=FAILED if reason else SENT,
        reason=reason,
        message=message,
        locations=locations,
        status=answer.status,
        response=excerpt,
        trace_id=trace_id,
    )


def classify_failure(error: TransportError) -> DeliveryResult:
    """What it means that no answer came: always another try."""
    failure = EngineError("FetchError", error.message, code=error.code)
    return DeliveryResult(outcome=_outcome(failure), reason=error.code, message=error.message)


def segment_reports(outcome: str | None, status: int | None) -> str | None:
    """What Segment's Delivery Overview says of an event with this outcome; None while it waits in the queue."""
    if outcome == FAILED and status is not None and 200 <= status <= 299:
        return "delivered"
    return {SENT: "delivered", DISCARDED: "filtered", RETRYING: "retrying", REJECTED: "failed", FAILED: "failed"}.get(
        outcome or ""
    )


def _outcome(failure: EngineError) -> str:
    return RETRYING if failure.retryable else FAILED


_Reading = tuple[str | None, str | None, tuple[Mapping[str, int], ...]]


def _read(text: str) -> _Reading:
    """Reason, message and locations of a refusal in a GraphQL answer; nothing when there is none."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        return NOT_GRAPHQL, "The answer is not a GraphQL response.", ()
    errors = _objects(body.get("errors"))
    if errors:
        return GRAPHQL_ERRORS, _joined(str(error.get("message")) for error in errors), tuple(_locations(errors))
    refusals = list(_user_errors(body.get("data")))
    if refusals:
        return USER_ERRORS, _joined(refusals), ()
    return None, None, ()


def _locations(errors: list[dict[str, Any]]) -> Iterator[Mapping[str, int]]:
    for error in errors:
        for location in _objects(error.get("locations")):
            if isinstance(location.get("line"), int) and isinstance(location.get("column"), int):
                yield {"line": location["line"], "column": location["column"]}


def _user_errors(data: object) -> Iterator[str]:
    for name, answer in (data if isinstance(data, dict) else {}).items():
        for error in _objects(answer.get("userErrors") if isinstance(answer, dict) else None):
            path = error.get("path")
            place = f" ({'.'.join(map(str, path))})" if isinstance(path, list) and path else ""
            yield f"{name}: {error.get('message')}{place}"


def _objects(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _joined(messages: Iterator[str] | list[str]) -> str:
    return "; ".join(dict.fromkeys(messages))
