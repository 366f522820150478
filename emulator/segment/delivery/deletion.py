"""A deletion regulation: one person's data is deleted in the space, and every destination instance is asked to follow.

"User Deletion and Suppression" in Segment's documentation: a regulation of the kind *Segment & Destination* names a
`userId`; Segment deletes what it has, then forwards the request to destinations that support it. The real one takes
up to thirty days; here it happens at once. What Segment has are the profile and every event about the person, those
that wait to be sent among them. Batches stay, but what was answered to them goes: an error may quote the document.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, select, update
from sqlalchemy import Connection as Transaction

from emulator.mapping import DestinationInstance, EngineError, OutgoingRequest, Response, SendError, newest
from emulator.segment.delivery.response import FAILED, SENT
from emulator.segment.profiles.profile import EMAIL, USER_ID
from emulator.segment.tables import (
    BATCHES,
    DELIVERIES,
    DUE,
    EVENTS,
    IDENTIFIERS,
    JOURNEYS,
    MEMBERSHIPS,
    PERFORMED,
    PROFILES,
)
from emulator.transport import Transport, TransportError
from emulator.workspace import Destination


def delete_user(transaction: Transaction, user_id: str) -> bool:
    """Deletes the profile with this user id and the events about the person; whether there was a profile."""
    owner = select(IDENTIFIERS.c.profile_id).where(IDENTIFIERS.c.type == USER_ID, IDENTIFIERS.c.value == user_id)
    key = transaction.scalar(owner)
    emails = transaction.scalars(
        select(IDENTIFIERS.c.value).where(IDENTIFIERS.c.type == EMAIL, IDENTIFIERS.c.profile_id == key)
    )
    # Before somebody had a user id, events went by email alone.
    by_email = EVENTS.c.user_id.is_(None) & EVENTS.c.email.in_([email.lower() for email in emails])
    about = (EVENTS.c.user_id == user_id) | by_email
    of_person = DELIVERIES.c.event_id.in_(select(EVENTS.c.id).where(about))
    _blank_answers(transaction, of_person)
    transaction.execute(delete(DELIVERIES).where(of_person))
    transaction.execute(delete(EVENTS).where(about))
    if key is None:
        return False
    for table in (IDENTIFIERS, MEMBERSHIPS, PERFORMED, JOURNEYS, DUE):
        transaction.execute(delete(table).where(table.c.profile_id == key))
    transaction.execute(delete(PROFILES).where(PROFILES.c.id == key))
    return True


def _blank_answers(transaction: Transaction, of_person: ColumnElement[bool]) -> None:
    """Empties the texts of batches that carried a person, and of the other deliveries in them, which repeat these.

    So with batches whose events were all replayed since: whom they carried is not known any more.
    """
    carried = select(DELIVERIES.c.batch_id).where(of_person, DELIVERIES.c.batch_id.is_not(None))
    emptied = ~exists().where(DELIVERIES.c.batch_id == BATCHES.c.id)
    transaction.execute(update(BATCHES).where(BATCHES.c.id.in_(carried) | emptied).values(message=None, response=None))
    transaction.execute(update(DELIVERIES).where(DELIVERIES.c.batch_id.in_(carried)).values(message=None))


def forward(
    destinations: Iterable[Destination], user_id: str, transport_for: Callable[[Destination], Transport]
) -> list[dict[str, Any]]:
    """Asks each destination instance to delete a user: `{"destination", "outcome", "reason", "message"}` of each.

    The outcome is `sent` or `failed`; a deletion is the one thing whose `userErrors` the published destination reads.
    """
    return [_asked(destination, user_id, transport_for) for destination in destinations]


def _asked(destination: Destination, user_id: str, transport_for: Callable[[Destination], Transport]) -> dict[str, Any]:
    def send(request: OutgoingRequest) -> Response:
        try:
            answer = transport_for(destination).post(request.headers, request.body)
        except TransportError as error:
            raise SendError("FetchError", error.message, error.code) from error
        return Response(status=answer.status, reason=answer.reason, headers=answer.headers, body=answer.text)

    shown: dict[str, Any] = {"destination": destination.name, "outcome": SENT, "reason": None, "message": None}
    instance = DestinationInstance(destination.generation or newest(), destination.settings)
    try:
        instance.on_delete({"type": "delete", "userId": user_id}, send)
    except EngineError as error:
        shown["outcome"] = FAILED
        shown["reason"] = error.code or str(error.status or error.name)
        shown["message"] = destination.masked(error.message)
    return shown
