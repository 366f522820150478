"""Deliveries that are queued or to be retried, and that the workspace, since it was changed, sends nowhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from sqlalchemy import ColumnElement, select, update
from sqlalchemy import Connection as Transaction

from emulator.segment.delivery.enqueue import Discarded
from emulator.segment.delivery.response import DISCARDED, RETRYING
from emulator.segment.delivery.switches import Recipient
from emulator.segment.tables import BATCHES, DELIVERIES, UNSENT

WORKSPACE_CHANGED: Final = "WORKSPACE_CHANGED"

_OPEN = DELIVERIES.c.outcome.is_(None) | ((DELIVERIES.c.outcome == RETRYING) & UNSENT)


def discard_undeliverable(transaction: Transaction, recipients: Sequence[Recipient], *, at: int) -> Discarded:
    """Discards the open deliveries of subscriptions that are not among the recipients any more, or switched off.

    Returns how many, as `enqueue` does. `at` is in milliseconds.
    """
    discarded: Discarded = Counter()
    known = {(each.destination, each.subscription): each for each in recipients}
    places = select(DELIVERIES.c.destination, DELIVERIES.c.subscription).where(_OPEN).distinct()
    for destination, subscription in sorted(map(tuple, transaction.execute(places).all())):
        recipient = known.get((destination, subscription))
        if recipient is not None and recipient.switched_off is None:
            continue
        message = _message(destination, subscription, recipients)
        if recipient is not None and recipient.switched_off is not None:
            message = f"{recipient.switched_off.message} since the workspace was changed"
        end = {"outcome": DISCARDED, "reason": WORKSPACE_CHANGED, "message": message}
        place = (DELIVERIES.c.destination == destination) & (DELIVERIES.c.subscription == subscription)
        ended = transaction.execute(update(DELIVERIES).where(place, _OPEN).values(**end, settled_at=at))
        to_retry = (BATCHES.c.destination == destination) & (BATCHES.c.subscription == subscription)
        ended_batches = update(BATCHES).where(to_retry, BATCHES.c.next_at.is_not(None))
        transaction.execute(ended_batches.values(**end, last_at=at, next_at=None))
        discarded[destination, subscription, message] += ended.rowcount
    return discarded


def ended_by_change() -> ColumnElement[bool]:
    """The deliveries that were discarded here, which can be replayed: no trigger has decided against their events."""
    return (DELIVERIES.c.outcome == DISCARDED) & (DELIVERIES.c.reason == WORKSPACE_CHANGED)


def _message(destination: str, subscription: str, recipients: Sequence[Recipient]) -> str:
    if all(each.destination != destination for each in recipients):
        return f"the destination instance {destination!r} was removed from the workspace"
    return f"the subscription {subscription!r} of {destination!r} was removed from the workspace"
