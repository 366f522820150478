"""Carries out regulations, and lists them and the suppressed users."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from emulator.sandbox import Sandbox
from emulator.segment.delivery.deletion import delete_user, forward
from emulator.segment.delivery.regulation import checked_type, record, regulations
from emulator.segment.tracking.suppression import end_suppression, start_suppression, suppressions
from emulator.store import SEGMENT_LOCK
from emulator.timestamps import to_millis
from emulator.transport import Transport
from emulator.workspace import Destination


class Regulator:
    """The regulations of one sandbox. `paused` stops the delivery within a block."""

    def __init__(
        self,
        sandbox: Sandbox,
        transport_for: Callable[[Destination], Transport],
        paused: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._sandbox = sandbox
        self._store = sandbox.store
        self._transport_for = transport_for
        self._paused = paused

    def delete(self, user_id: str) -> dict[str, Any]:
        """Carries out the regulation DELETE_ONLY for one user: see `regulate`. Returns the one of its `subjects`."""
        subject: dict[str, Any] = self.regulate("DELETE_ONLY", [user_id])["subjects"][0]
        return subject

    def regulate(self, regulation_type: str, user_ids: Sequence[str]) -> dict[str, Any]:
        """Carries out a regulation, by its name in Segment's Public API, and returns it.

        `{"id", "regulationType", "subjectType", "overallStatus", "createdAt", "finishedAt", "subjects"}` with
        `{"userId", "deleted", "destinations"}` of each user: whether the space had a profile with this user id and
        deleted it, and the outcome at each destination instance that the deletion was forwarded to. Raises UnknownName
        for an unknown type, InputError for no user ids or more than 5,000.
        """
        kind, user_ids = checked_type(regulation_type, user_ids), list(dict.fromkeys(user_ids))
        at = self._sandbox.clock.now()
        with self._paused(), self._store.begin(locks=SEGMENT_LOCK) as transaction:
            if kind.suppresses:
                start_suppression(transaction, user_ids, to_millis(at))
            elif kind.suppresses is False:
                end_suppression(transaction, user_ids)
            deleted = {user_id: kind.deletes and delete_user(transaction, user_id) for user_id in user_ids}
        destinations = self._sandbox.workspace.destinations if kind.forwards else ()
        subjects = [
            {
                "userId": user_id,
                "deleted": deleted[user_id],
                "destinations": forward(destinations, user_id, self._transport_for),
            }
            for user_id in user_ids
        ]
        number = f"reg_{self._sandbox.ids.ksuid(at)}"
        with self._store.begin(locks=SEGMENT_LOCK) as transaction:
            return record(transaction, regulation_type, subjects, regulation_id=number, at=at)

    def regulations(self, limit: int = 100, offset: int = 0) -> list[dict[str, Any]]:
        """The regulations that were carried out, oldest first, as `regulate` returns them."""
        with self._store.begin(locks=SEGMENT_LOCK) as transaction:
            return regulations(transaction, limit, offset)

    def suppressions(self, user_id: str | None = None, limit: int = 100, offset: int = 0) -> list[dict[str, Any]]:
        """The users whose calls are dropped, by id: `{"userId", "since"}`; or the one with this id."""
        with self._store.begin(locks=SEGMENT_LOCK) as transaction:
            return suppressions(transaction, user_id, limit, offset)
