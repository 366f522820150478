"""What a response, or its absence, means for the events of a batch.

The published destination takes every status from 200 to 299 for success and does not read the body, so Segment reports
a request that GraphQL refused as delivered. The emulator reads the body: such events fail, and `segment_reports` gives
what Segment would show. Which statuses are retried follows the published classification of the engine's errors.
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
    """The outcome of a request and its reason. `locations` are places in the GraphQL document, counted from 1;
    `trace_id` is the id of the request at an emulated StackAdapt.
    """

    outcome: str
    reason: str | None = None
    message: str | None = None
    locations: tuple[Mapping[str, int], ...] = ()
    status: int | None = None
    response: str | None = None
    trace_id: str | None = None


def classify_response(response: Response) -> DeliveryResult:
    """The result of a request that got a response."""
    excerpt, trace_id = response.text[:EXCERPT_CHARACTERS], response.headers.get(TRACE_HEADER)
    if not 200 <= response.status <= 299:
        return DeliveryResult(
            outcome=_outcome(EngineError("HTTPError", response.reason, status=response.status)),
            reason=str(response.status),
            message=f"{response.status} {response.reason}".strip(),
            status=response.status,
            response=excerpt,
            trace_id=trace_id,
        )
    reason, message, locations = _read(response.text)
    return DeliveryResult(
        outcome=FAILED if reason else SENT,
        reason=reason,
        message=message,
        locations=locations,
        status=response.status,
        response=excerpt,
        trace_id=trace_id,
    )


def classify_failure(error: TransportError) -> DeliveryResult:
    """The result of a request without a response: always `retrying`."""
    failure = EngineError("FetchError", error.message, code=error.code)
    return DeliveryResult(outcome=_outcome(failure), reason=error.code, message=error.message)


def segment_reports(outcome: str | None, status: int | None) -> str | None:
    """What Segment's Delivery Overview shows for an event with this outcome; None while it is queued."""
    if outcome == FAILED and status is not None and 200 <= status <= 299:
        return "delivered"
    return {SENT: "delivered", DISCARDED: "filtered", RETRYING: "retrying", REJECTED: "failed", FAILED: "failed"}.get(
        outcome or ""
    )


def segment_code(outcome: str | None, reason: str | None, status: int | None) -> str | None:
    """Segment's code of an event that waits for a retry or was given up ("Integration Error Codes"), else None.

    An event that Segment reports as delivered has none; a payload that the mapping rejects is a rejected message.
    """
    if reason is None or segment_reports(outcome, status) not in ("retrying", "failed"):
        return None
    if outcome == RETRYING:
        return f"errors.awaiting-retry.{'5xx' if status is not None and status >= 500 else reason}"
    return f"errors.discarded.{'MESSAGE_REJECTED' if outcome == REJECTED else reason}"


def _outcome(failure: EngineError) -> str:
    return RETRYING if failure.retryable else FAILED


def _read(text: str) -> tuple[str | None, str | None, tuple[Mapping[str, int], ...]]:
    """Reason, message and locations of the errors in a GraphQL response; None and empty when there are none."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        return NOT_GRAPHQL, "The body is not a GraphQL response.", ()
    errors = _objects(body.get("errors"))
    if errors:
        return GRAPHQL_ERRORS, _joined(str(error.get("message")) for error in errors), tuple(_locations(errors))
    user_errors = list(_user_errors(body.get("data")))
    if user_errors:
        return USER_ERRORS, _joined(user_errors), ()
    return None, None, ()


def _locations(errors: list[dict[str, Any]]) -> Iterator[Mapping[str, int]]:
    for error in errors:
        for location in _objects(error.get("locations")):
            if isinstance(location.get("line"), int) and isinstance(location.get("column"), int):
                yield {"line": location["line"], "column": location["column"]}


def _user_errors(data: object) -> Iterator[str]:
    for name, result in (data if isinstance(data, dict) else {}).items():
        for error in _objects(result.get("userErrors") if isinstance(result, dict) else None):
            path = error.get("path")
            place = f" ({'.'.join(map(str, path))})" if isinstance(path, list) and path else ""
            yield f"{name}: {error.get('message')}{place}"


def _objects(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _joined(messages: Iterator[str] | list[str]) -> str:
    return "; ".join(dict.fromkeys(messages))
