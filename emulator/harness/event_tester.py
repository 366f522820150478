"""One event sent through one subscription, as Segment's Event Tester does, and how its record ends at StackAdapt.

Segment shows whether the trigger matched, how many mappings did, request and response. The end of the record is ours: a
request that is answered with 200 may be refused, and a record that is accepted may be rejected or wait.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from emulator.errors import NotFound, unknown
from emulator.harness.explain import json_or_text, shown_request
from emulator.harness.sample_events import sample_calls
from emulator.harness.subscription_context import SubscriptionContext, sample_messages, subscription_contexts
from emulator.mapping import EngineError, Invalid, OutgoingRequest, Ready, stringify
from emulator.segment.delivery.response import DeliveryResult, classify_failure, classify_response, segment_reports
from emulator.segment.lookups import check_destination
from emulator.stackadapt import StackAdapt
from emulator.timestamps import parse_timestamp
from emulator.transport import Transport, TransportError
from emulator.workspace import Workspace

NOT_SENT = "notSent"
_QUEUED = "queued"

Shown = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a test event is sent. `advance` moves the clock there until records are due, None to leave them queued."""

    transport: Transport
    stackadapt: StackAdapt
    now: Callable[[], datetime]
    advance: Callable[[timedelta], None] | None


def context_named(workspace: Workspace, destination: str, subscription: str) -> SubscriptionContext:
    """A subscription of a destination instance, enabled or not. Raises NotFound for an unknown name."""
    check_destination(workspace, destination)
    known = [each for each in subscription_contexts(workspace) if each.destination.name == destination]
    for context in known:
        if context.subscription.name == subscription:
            return context
    names = [context.subscription.name for context in known]
    raise unknown("subscription", subscription, names, where="subscription", error=NotFound)


def sample_event(context: SubscriptionContext) -> Mapping[str, Any]:
    """An event that passes the trigger, of Engage if it sends one here; an identify call where none passes."""
    for _, payload in sample_messages(context):
        return payload
    calls = list(sample_calls())
    return next((call for call in calls if context.trigger.matches(call)), calls[0])


def send_test_event(context: SubscriptionContext, event: Mapping[str, Any], endpoint: Endpoint) -> Shown:
    """Sends one event and returns what Segment and StackAdapt did with it.

    `{"event", "enabled", "matched", "mappings", "payload", "request", "response", "calls", "outcome", "reason",
    "message", "segmentReports", "records", "end"}`: `mappings` are how many enabled mappings of the destination
    instance match, `calls` how many requests were sent, `end` is `notSent`, the outcome of the record or of a request
    that failed.
    """
    shown: Shown = {
        "event": dict(event),
        "enabled": context.destination.enabled and context.subscription.enabled,
        "matched": context.trigger.matches(event),
        "mappings": _mappings(context, event),
        **dict.fromkeys(("payload", "request", "response", "outcome", "reason", "message", "segmentReports")),
        "calls": 0,
        "records": [],
    }
    request = _prepare(context, event, shown)
    if request is not None:
        _send(context, request, endpoint, shown)
    return {**shown, "end": _end(shown)}


def _mappings(context: SubscriptionContext, event: Mapping[str, Any]) -> dict[str, int]:
    enabled = [
        each
        for each in subscription_contexts(context.workspace)
        if each.destination.name == context.destination.name and each.subscription.enabled
    ]
    return {"matched": sum(each.trigger.matches(event) for each in enabled), "enabled": len(enabled)}


def _prepare(context: SubscriptionContext, event: Mapping[str, Any], shown: Shown) -> OutgoingRequest | None:
    """The request for the event; None, and why, where there is none."""
    try:
        prepared = context.instance().subscriptions[0].prepare([event], batch=False)
    except EngineError as error:
        shown.update(outcome="rejected", reason=error.code or error.name)
        shown.update(message=context.destination.masked(error.message), segmentReports="failed")
        return None
    (checked,) = prepared.events
    if isinstance(checked, Ready):
        # As JavaScript writes it: undefined members are omitted.
        shown["payload"] = json.loads(str(stringify(checked.payload)))
    elif isinstance(checked, Invalid):
        shown.update(outcome="rejected", reason="PAYLOAD_VALIDATION_FAILED", segmentReports="failed")
        shown["message"] = context.destination.masked(checked.message)
    else:
        shown.update(outcome="discarded", reason="NO_MATCHING_MAPPING", segmentReports="filtered")
        shown["message"] = prepared.trigger_error or checked.message
    return prepared.request


def _send(context: SubscriptionContext, request: OutgoingRequest, endpoint: Endpoint, shown: Shown) -> None:
    shown.update(request=shown_request(request), calls=1)
    try:
        response = endpoint.transport.post(request.headers, request.body)
        result: DeliveryResult = classify_response(response)
        headers = dict(response.headers)
        shown["response"] = {"status": response.status, "headers": headers, "body": json_or_text(response.text)}
    except TransportError as error:
        result = classify_failure(error)
    message = context.destination.masked(result.message) if result.message else None
    shown.update(outcome=result.outcome, reason=result.reason, message=message)
    shown["segmentReports"] = segment_reports(result.outcome, result.status)
    if result.trace_id is not None:
        shown["records"] = _records(endpoint, result.trace_id)


def _records(endpoint: Endpoint, trace_id: str) -> list[Shown]:
    records = endpoint.stackadapt.records(request_id=trace_id)
    due = [at for each in records if each["outcome"] == _QUEUED and (at := parse_timestamp(each["dueAt"]))]
    if not due or endpoint.advance is None:
        return records
    # Rounded up: what is stored are whole milliseconds.
    endpoint.advance(max(max(due) - endpoint.now(), timedelta()) + timedelta(milliseconds=1))
    return endpoint.stackadapt.records(request_id=trace_id)


def _end(shown: Shown) -> Shown:
    """The end of the event: that of its record, or of its request where there is no record."""
    if shown["records"]:
        last = shown["records"][-1]
        return {name: last[name] for name in ("outcome", "reason", "message")}
    outcome = shown["outcome"] if shown["calls"] else NOT_SENT
    return {"outcome": outcome, "reason": shown["reason"], "message": shown["message"]}
