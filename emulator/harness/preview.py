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
    calls: list[list[tuple[int, Mapping[str, Any]]]] = [list(enumerate(events))]
    if not batch:
        calls = [[numbered] for numbered in calls[0]]
    for context in contexts:
        subscription = context.instance().subscriptions[0]
        for call in calls:
            try:
                prepared = subscription.prepare([event for _, event in call], batch=batch)
            except EngineError as error:
                yield Preview(
                    subscription=context.subscription.name,
                    events=tuple({"event": _name(*numbered), "status": "failed"} for numbered in call),
                    error=context.destination.masked(error.message),
                )
            else:
                yield _previewed(context, call, prepared)


def _previewed(
    context: SubscriptionContext, call: Sequence[tuple[int, Mapping[str, Any]]], prepared: Prepared
) -> Preview:
    body = prepared.request.body if prepared.request else None
    return Preview(
        subscription=context.subscription.name,
        events=tuple(
            {"event": _name(*numbered), **_status(event)} for numbered, event in zip(call, prepared.events, strict=True)
        ),
        document=json.loads(body)["query"] if body else None,
        body=body,
    )


def _status(event: PreparedEvent) -> dict[str, Any]:
    if isinstance(event, Ready):
        return {"status": "ready"}
    return {"status": "not triggered" if isinstance(event, NotSubscribed) else "invalid", "message": event.message}


def _name(index: int, event: Mapping[str, Any]) -> str:
    return str(event.get("messageId") or f"event {index + 1}")
