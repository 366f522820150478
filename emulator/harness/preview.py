"""What the destination would send for events, without sending it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emulator.harness.subscription_context import SubscriptionContext
from emulator.mapping import EngineError, NotSubscribed, Prepared, Ready, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """One call of the destination: the events that went in, a verdict for each, and the document if there is one.

    A verdict is `{"event", "verdict", "message"?}` with `ready`, `not triggered` or `invalid`. `error` stands where the
    engine fails for the whole call.
    """

    subscription: str
    verdicts: tuple[Mapping[str, Any], ...]
    document: str | None = None
    body: str | None = None
    error: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The preview for machines; `body` is the request body, byte for byte."""
        return {
            "subscription": self.subscription,
            "verdicts": list(self.verdicts),
            "document": self.document,
            "body": self.body,
            "error": self.error,
        }


def preview(
    events: Sequence[Mapping[str, Any]], subjects: Sequence[SubscriptionContext], *, batch: bool
) -> Iterator[Preview]:
    """What each subscription would send: one request for all events with `batch`, otherwise one for each event."""
    calls: list[list[tuple[int, Mapping[str, Any]]]] = [list(enumerate(events))]
    if not batch:
        calls = [[numbered] for numbered in calls[0]]
    for subject in subjects:
        subscription = subject.instance().subscriptions[0]
        for call in calls:
            try:
                prepared = subscription.prepare([event for _, event in call], batch=batch)
            except EngineError as error:
                names = tuple({"event": _name(*numbered), "verdict": "failed"} for numbered in call)
                yield Preview(
                    subscription=subject.subscription.name,
                    verdicts=names,
                    error=subject.destination.masked(error.message),
                )
            else:
                yield _previewed(subject, call, prepared)


def _previewed(
    subject: SubscriptionContext, call: Sequence[tuple[int, Mapping[str, Any]]], prepared: Prepared
) -> Preview:
    body = prepared.request.body if prepared.request else None
    return Preview(
        subscription=subject.subscription.name,
        verdicts=tuple(
            {"event": _name(*numbered), **_verdict(verdict)}
            for numbered, verdict in zip(call, prepared.verdicts, strict=True)
        ),
        document=json.loads(body)["query"] if body else None,
        body=body,
    )


def _verdict(verdict: Verdict) -> dict[str, Any]:
    if isinstance(verdict, Ready):
        return {"verdict": "ready"}
    kind = "not triggered" if isinstance(verdict, NotSubscribed) else "invalid"
    return {"verdict": kind, "message": verdict.message}


def _name(index: int, event: Mapping[str, Any]) -> str:
    return str(event.get("messageId") or f"event {index + 1}")
