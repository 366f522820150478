"""The requests that the destination would send for events."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emulator.harness.subscription_context import SubscriptionContext
from emulator.mapping import EngineError, NotSubscribed, Prepared, PreparedEvent, Ready


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """One call of the destination: the status of each event, and the document if there is one.

    `events` are `{"event", "status", "message"?}`, with the status `ready`, `not triggered`, `invalid`, or `failed` if
    the engine fails for the whole call with `error`. `body` is the exact request body.
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
        subscription = context.instance().subscriptions[0]
        for call in calls:
            names = [name for name, _ in call]
            try:
                prepared = subscription.prepare([event for _, event in call], batch=batch)
            except EngineError as error:
                yield Preview(
                    subscription=context.subscription.name,
                    events=tuple({"event": name, "status": "failed"} for name in names),
                    error=context.destination.masked(error.message),
                )
            else:
                yield _previewed(context.subscription.name, names, prepared)


def _previewed(subscription: str, names: Sequence[str], prepared: Prepared) -> Preview:
    body = prepared.request.body if prepared.request else None
    statuses = zip(names, map(_status, prepared.events), strict=True)
    return Preview(
        subscription=subscription,
        events=tuple({"event": name, **status} for name, status in statuses),
        document=json.loads(body)["query"] if body else None,
        body=body,
    )


def _status(event: PreparedEvent) -> dict[str, Any]:
    if isinstance(event, Ready):
        return {"status": "ready"}
    return {"status": "not triggered" if isinstance(event, NotSubscribed) else "invalid", "message": event.message}
