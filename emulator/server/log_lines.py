"""Each kind of event as a level and a sentence that says who and why.

Messages in responses, which may quote the request, are always without email addresses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any, Final

from emulator.durations import in_words
from emulator.events import (
    BatchDelivered,
    CallReceived,
    ClockMoved,
    Event,
    GraphQLExchanged,
    MembershipChanged,
    RecordProcessed,
    WorkspaceChanged,
)
from emulator.harness.client import body_in, errors_in, named, refusal_text, user_errors_in
from emulator.stackadapt import outcome_of
from emulator.text import counted_noun, without_addresses

INFO, WARNING = "INFO", "WARNING"

# Outcomes that are as intended: a trigger discards events, and Segment drops what it has seen.
VISIBLE: Final = "visible"
_AS_INTENDED = {"sent", "discarded", VISIBLE}
_DUPLICATE = "duplicate"
_SENT = "sent"
_MASK = "***"
_BODIES = ("content", "request", "response")
_LONGEST_MESSAGE = 300

Line = tuple[str, str]


def line_of(event: Event) -> Line:
    """The level and the text of an event, with the personal data that it has."""
    return _LINES[type(event)](event)


def line_of_visible(first: Event, count: int) -> Line:
    """The level and the text of several visible records of one request, of which `first` is one."""
    advertiser_id = getattr(first, "advertiser_id", None)
    return INFO, f"{counted_noun(count, 'record')} at advertiser {advertiser_id}: {VISIBLE}"


def masked(event: Event) -> Event:
    """The event without email addresses, wherever they are, except in its bodies."""
    values = {each.name: getattr(event, each.name) for each in fields(event) if each.name not in _BODIES}
    return replace(event, **{name: _masked(name, value) for name, value in values.items()})


def _masked(name: str, value: Any) -> Any:
    if isinstance(value, str):
        # One that is not valid may not look like an address.
        return _MASK if name in ("email", "emails") else without_addresses(value)
    return tuple(_masked(name, item) for item in value) if isinstance(value, tuple) else value


def _exchanged(event: GraphQLExchanged) -> Line:
    if event.refusal:
        why = without_addresses(refusal_text(event.refusal, event.credential, event.token_name, event.response))
        return WARNING, f"{event.method} {event.path} refused with {event.status}: {why}"
    outcome = outcome_of(event)
    who = f" about {named(event.emails)}" if event.emails else ""
    what = f"POST /graphql by {event.token_name!r}{who}: {', '.join(event.operations) or 'unreadable document'}"
    because = f" ({', '.join(event.matched)})" if event.matched else ""
    if event.status is None:
        return WARNING, f"{what} got no response{because}"
    if event.status >= 400:
        return WARNING, f"{what} refused with {event.status}{because}{_messages(event.response)}"
    if outcome == "accepted":
        return INFO, f"{what} accepted with {event.status} in {event.duration_ms:.1f} ms{because}"
    return WARNING, f"{what} answered with {event.status} and {_OUTCOMES[outcome]}{because}{_messages(event.response)}"


_OUTCOMES: Final = {"errors": "errors", "userErrors": "user errors", "notGraphql": "no GraphQL response"}


def _messages(response: str) -> str:
    body = body_in(response)
    messages = (str(error.get("message")) for error in (*errors_in(body), *user_errors_in(body)))
    text = "; ".join(dict.fromkeys(messages))[:_LONGEST_MESSAGE]
    return f": {without_addresses(text)}" if text else ""


def _processed(event: RecordProcessed) -> Line:
    who = f"of {event.email}" if event.email else "without email"
    text = f"record {who} at advertiser {event.advertiser_id}: {event.outcome}"
    if event.outcome in _AS_INTENDED:
        return INFO, text
    return WARNING, f"{text}{f', {event.reason}' if event.reason else ''} (request {event.trace_id})"


def _received(event: CallReceived) -> Line:
    origin = f" from {event.source!r}" if event.source else ""
    # The body of a refused call may be unreadable.
    named_by = _named(event) or ("" if event.status >= 400 else "an anonymous user")
    what = f"{event.call}{f' of {named_by}' if named_by else ''}{origin}"
    if event.status >= 400:
        credential = f" ({event.credential})" if event.credential else ""
        message = (event.message or event.reason or "").rstrip(".")
        return WARNING, f"{what} refused with {event.status}: {message[:1].lower()}{message[1:]}{credential}"
    if event.accepted:
        # Notes may quote an identifier.
        notes = f", {counted_noun(len(event.notes), 'note')}" if event.notes else ""
        return INFO, f"{what}: accepted{notes}"
    why = f": {event.message}" if event.message else ""
    return INFO if event.reason == _DUPLICATE else WARNING, f"{what}: dropped, {event.reason}{why}"


def _named(event: CallReceived | MembershipChanged) -> str:
    """`u1 (ada@example.com)`, or what is known of it."""
    email = f"({event.email})" if event.email and event.user_id else event.email
    return " ".join(filter(None, (event.user_id, email)))


def _changed(event: MembershipChanged) -> Line:
    who = _named(event) or f"profile {event.profile_id}"
    return INFO, f"{who} {'entered' if event.entered else 'left'} {event.audience_key!r}"


def _delivered(event: BatchDelivered) -> Line:
    total, sent = sum(event.outcomes.values()), event.outcomes.get(_SENT, 0)
    many = counted_noun(total, "event") if sent == total else f"{sent} of {counted_noun(total, 'event')}"
    outcomes = ", ".join(f"{count} {outcome}" for outcome, count in event.outcomes.items())
    text = f"delivered {many} to {event.destination!r}: {outcomes}{_why(event)}"
    return INFO if event.outcomes.keys() <= _AS_INTENDED else WARNING, text


def _why(event: BatchDelivered) -> str:
    parts = [", ".join(event.reasons), f"users {named(event.user_ids)}" if event.user_ids else ""]
    because = "; ".join(filter(None, parts))
    return f" ({because})" * bool(because) + (f": {event.error}" if event.error else "")


def _moved(event: ClockMoved) -> Line:
    by = f" by {in_words(timedelta(seconds=event.seconds))}" if event.seconds else ""
    return INFO, f"clock {event.action}{by}"


def _changed_workspace(event: WorkspaceChanged) -> Line:
    return INFO, f"workspace changed: {', '.join(event.parts) or 'nothing'}"


_LINES: Final[Mapping[type[Event], Callable[[Any], Line]]] = {
    GraphQLExchanged: _exchanged,
    RecordProcessed: _processed,
    CallReceived: _received,
    MembershipChanged: _changed,
    BatchDelivered: _delivered,
    ClockMoved: _moved,
    WorkspaceChanged: _changed_workspace,
}
