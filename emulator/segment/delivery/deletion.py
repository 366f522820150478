"""A deletion regulation: deletes a user's data in the space and forwards the request to every destination instance.

"User Deletion and Suppression" in Segment's documentation: a regulation of the kind *Segment & Destination* names a
`userId`; Segment deletes its data, then forwards the request to destinations that support it. Segment takes up to
thirty days, the emulator does it at once. The data are the profile and all events about the user, queued ones included.
Batches are kept without the texts of their responses: an error may quote the document.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, false, or_, select, update
from sqlalchemy import Connection as Transaction

from emulator.json_text import compact
from emulator.mapping import DestinationInstance, EngineError, OutgoingRequest, Response, SendError, newest
from emulator.segment.delivery.response import DISCARDED, FAILED, SENT
from emulator.segment.delivery.switches import DESTINATION_DISABLED
from emulator.segment.profiles.profile import ANONYMOUS_ID, EMAIL, USER_ID
from emulator.segment.tables import (
    BATCHES,
    CONTENTS,
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
    """Deletes the profile with this user id and the events about the user; returns whether there was a profile."""
    owner = select(IDENTIFIERS.c.profile_id).where(IDENTIFIERS.c.type == USER_ID, IDENTIFIERS.c.value == user_id)
    key = transaction.scalar(owner)
    about = (CONTENTS.c.user_id == user_id) | (CONTENTS.c.user_id.is_(None) & _without_user_id(transaction, key))
    events = EVENTS.c.content_id.in_(select(CONTENTS.c.id).where(about))
    of_user = DELIVERIES.c.event_id.in_(select(EVENTS.c.id).where(events))
    _clear_responses(transaction, of_user)
    transaction.execute(delete(DELIVERIES).where(of_user))
    transaction.execute(delete(EVENTS).where(events))
    transaction.execute(delete(CONTENTS).where(about))
    if key is None:
        return False
    for table in (IDENTIFIERS, MEMBERSHIPS, PERFORMED, JOURNEYS, DUE):
        transaction.execute(delete(table).where(table.c.profile_id == key))
    transaction.execute(delete(PROFILES).where(PROFILES.c.id == key))
    return True


def _without_user_id(transaction: Transaction, key: int | None) -> ColumnElement[bool]:
    """The events from before the profile had a user id: they have an email, or an anonymous id.

    A call may have both, and an email that is no identifier of the profile: that of a friend.
    """
    known = transaction.execute(
        select(IDENTIFIERS.c.type, IDENTIFIERS.c.value).where(
            IDENTIFIERS.c.type.in_((EMAIL, ANONYMOUS_ID)), IDENTIFIERS.c.profile_id == key
        )
    ).all()
    names = [row.value.lower() if row.type == EMAIL else row.value for row in known]
    members = [f'"anonymousId":{compact(row.value)}' for row in known if row.type == ANONYMOUS_ID]
    with_both = (CONTENTS.c.traits.contains(member, autoescape=True) for member in members)
    return CONTENTS.c.found_by_email.in_(names) | (CONTENTS.c.found_by_email.contains("@") & or_(false(), *with_both))


def _clear_responses(transaction: Transaction, of_user: ColumnElement[bool]) -> None:
    """Clears the texts of batches with events about the user, and of the other deliveries in them, which repeat these.

    Batches whose events were all replayed are cleared as well: which users they were about is not known any more.
    """
    batches = select(DELIVERIES.c.batch_id).where(of_user, DELIVERIES.c.batch_id.is_not(None))
    without_events = ~exists().where(DELIVERIES.c.batch_id == BATCHES.c.id)
    transaction.execute(
        update(BATCHES).where(BATCHES.c.id.in_(batches) | without_events).values(message=None, response=None)
    )
    transaction.execute(update(DELIVERIES).where(DELIVERIES.c.batch_id.in_(batches)).values(message=None))


def forward(
    destinations: Iterable[Destination], user_id: str, transport_for: Callable[[Destination], Transport]
) -> list[dict[str, Any]]:
    """Asks each destination instance to delete a user: `{"destination", "outcome", "reason", "message"}` of each.

    The outcome is `sent` or `failed`: of a deletion, the published destination reads the `userErrors`. It is
    `discarded` at a disabled destination instance.
    """
    return [
        _forward(destination, user_id, transport_for) if destination.enabled else _discarded(destination, index)
        for index, destination in enumerate(destinations)
    ]


def _discarded(destination: Destination, index: int) -> dict[str, Any]:
    return {
        "destination": destination.name,
        "outcome": DISCARDED,
        "reason": DESTINATION_DISABLED,
        "message": f"destinations[{index}].enabled is false",
    }


def _forward(
    destination: Destination, user_id: str, transport_for: Callable[[Destination], Transport]
) -> dict[str, Any]:
    def send(request: OutgoingRequest) -> Response:
        try:
            response = transport_for(destination).post(request.headers, request.body)
        except TransportError as error:
            raise SendError("FetchError", error.message, error.code) from error
        return Response(status=response.status, reason=response.reason, headers=response.headers, body=response.text)

    result: dict[str, Any] = {"destination": destination.name, "outcome": SENT, "reason": None, "message": None}
    instance = DestinationInstance(destination.generation or newest(), destination.settings)
    try:
        instance.on_delete({"type": "delete", "userId": user_id}, send)
    except EngineError as error:
        result["outcome"] = FAILED
        result["reason"] = error.code or str(error.status or error.name)
        result["message"] = destination.masked(error.message)
    return result
