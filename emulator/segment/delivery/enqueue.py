"""Queues events: form and content once each, the events, a delivery for each subscription."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection as Transaction
from sqlalchemy import select

from emulator.segment.delivery.response import DISCARDED
from emulator.segment.delivery.switches import Discard, Recipient
from emulator.segment.engage.emitted_events import EmittedEvent, EventForm
from emulator.segment.tables import CONTENTS, DELIVERIES, EVENTS, FORMS
from emulator.statements import Prepared, insert_numbered, insert_numbered_values, insert_values, keys
from emulator.timestamps import to_millis

# How many deliveries were discarded, by destination instance, subscription and message.
Discarded = Counter[tuple[str, str, str]]

_KNOWN = Prepared(select(FORMS.c.id, FORMS.c.digest).where(FORMS.c.digest.in_(keys())))
_FORM = tuple(column.name for column in FORMS.columns if column.name != "id")
_EVENT = ("message_id", "form_id", "content_id")
_QUEUED = ("event_id", "bytes", "destination", "subscription", "queued_at")
_SETTLED = (
    "event_id",
    "bytes",
    "destination",
    "subscription",
    "outcome",
    "reason",
    "message",
    "queued_at",
    "settled_at",
)


def enqueue(
    transaction: Transaction,
    events: Sequence[EmittedEvent],
    recipients: Sequence[Recipient],
    *,
    source: str | None = None,
    stopped: Mapping[int, Discard] = MappingProxyType({}),
) -> Discarded:
    """Queues each event for every subscription of its destination instance, as of the event's own time.

    `source` is the one whose call caused the events, `stopped` why some of them go no further, by position. A delivery
    of those, or to a subscription that a switch keeps from getting it, is discarded at once; returns how many.
    """
    discarded: Discarded = Counter()
    if not events:
        return discarded
    discards = [(recipient, recipient.discard(source)) for recipient in recipients]
    times = {at: to_millis(at) for at in {event.at for event in events}}
    stored = list(_stored(transaction, events))
    if not stopped and all(discard is None for _, discard in discards):
        queued = [
            (key, size, recipient.destination, recipient.subscription, times[event.at])
            for key, size, event in stored
            for recipient in recipients
            if recipient.destination == event.form.destination
        ]
        insert_values(transaction, DELIVERIES, _QUEUED, queued)
        return discarded
    rows: list[tuple[Any, ...]] = []
    for position, (key, size, event) in enumerate(stored):
        for recipient, switched_off in discards:
            if recipient.destination != event.form.destination:
                continue
            discard = switched_off or stopped.get(position)
            place, at = (recipient.destination, recipient.subscription), times[event.at]
            if discard is None:
                rows.append((key, size, *place, None, None, None, at, None))
            else:
                rows.append((key, size, *place, DISCARDED, discard.reason, discard.message, at, at))
                discarded[*place, discard.message] += 1
    insert_values(transaction, DELIVERIES, _SETTLED, rows)
    return discarded


def _stored(transaction: Transaction, events: Sequence[EmittedEvent]) -> Iterator[tuple[int, int, EmittedEvent]]:
    """Stores events: the id and the size of each, in order."""
    forms = _form_ids(transaction, {event.form.digest: event.form for event in events})
    contents = list({id(event.content): event.content for event in events}.values())
    numbers = insert_numbered(transaction, CONTENTS, [content._asdict() for content in contents])
    content_ids = {id(content): number for number, content in zip(numbers, contents, strict=True)}
    rows = [(event.message_id, forms[event.form.digest], content_ids[id(event.content)]) for event in events]
    numbers = insert_numbered_values(transaction, EVENTS, _EVENT, rows)
    sizes = {id(content): content.size for content in contents}
    for number, event in zip(numbers, events, strict=True):
        yield number, event.form.size + sizes[id(event.content)], event


def _form_ids(transaction: Transaction, forms: dict[str, EventForm]) -> dict[str, int]:
    """The id of each form by its digest; those that are new are stored."""
    known = {row.digest: row.id for row in _KNOWN.matching(transaction, forms)}
    new = [form for digest, form in forms.items() if digest not in known]
    if new:
        rows = [{name: getattr(form, name) for name in _FORM} for form in new]
        numbers = insert_numbered(transaction, FORMS, rows)
        known |= {form.digest: number for form, number in zip(new, numbers, strict=True)}
    return known
