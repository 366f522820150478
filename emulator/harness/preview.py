"""The requests that the destination would send for events."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from emulator.harness.destination_checks import check_event, checks_of
from emulator.harness.subscription_context import SubscriptionContext
from emulator.mapping import EngineError, NotSubscribed, PreparedEvent, Ready


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """One call of the destination: the status of each event, and the document if there is one.

    `events` are `{"event", "status", "message"?}`, with the status `ready`, `filtered`, `not triggered`, `invalid`, or
    `failed` if the engine fails for the whole call with `error`. `body` is the exact request body.
    """

    subscription: str
    events: tuple[dict[str, Any], ...]
    document: str | None = None
    body: str | None = None
    error: str | None = None


def preview(
    events: Sequence[Mapping[str, Any]], contexts: Sequence[SubscriptionContext], *, batch: bool
) -> Iterator[Preview]:
    """The calls of each subscription: one for all events with `batch`, otherwise one for each event."""
    named = [(str(event.get("messageId") or f"event {number}"), event) for number, event in enumerate(events, start=1)]
    calls = [named] if batch else [[each] for each in named]
    for context in contexts:
        checks = checks_of(context)
        for call in calls:
            checked = [(name, check_event(event, checks)) for name, event in call]
            filtered = tuple(
                {"event": name, "status": "filtered", "message": each.discard.message}
                for name, each in checked
                if each.discard is not None
            )
            passed = [(name, each.event) for name, each in checked if each.discard is None]
            if not passed:
                yield Preview(subscription=context.subscription.name, events=filtered)
                continue
            shown = _previewed(context, passed, batch=batch)
            yield replace(shown, events=(*filtered, *shown.events))


def _previewed(context: SubscriptionContext, call: Sequence[tuple[str, Mapping[str, Any]]], *, batch: bool) -> Preview:
    name = context.subscription.name
    try:
        prepared = context.instance().subscriptions[0].prepare([event for _, event in call], batch=batch)
    except EngineError as error:
        failed = tuple({"event": event, "status": "failed"} for event, _ in call)
        return Preview(subscription=name, events=failed, error=context.destination.masked(error.message))
    body = prepared.request.body if prepared.request else None
    return Preview(
        subscription=name,
        events=tuple({"event": event, **_status(each)} for (event, _), each in zip(call, prepared.events, strict=True)),
        document=json.loads(body)["query"] if body else None,
        body=body,
    )


def _status(event: PreparedEvent) -> dict[str, Any]:
    if isinstance(event, Ready):
        return {"status": "ready"}
    return {"status": "not triggered" if isinstance(event, NotSubscribed) else "invalid", "message": event.message}
