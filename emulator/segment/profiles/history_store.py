"""Events that profiles performed, their progress in journeys, and when they are due, in the store.

Loaded and saved only in spaces whose conditions need them.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, delete, select, update

from emulator.segment.profiles.facts import Performed
from emulator.segment.profiles.profile import Profile, Progress
from emulator.segment.tables import DUE, JOURNEYS, PERFORMED
from emulator.statements import Prepared, insert_rows, keys

_PERFORMED = Prepared(select(PERFORMED).where(PERFORMED.c.profile_id.in_(keys())).order_by(PERFORMED.c.id))
_JOURNEYS = Prepared(select(JOURNEYS).where(JOURNEYS.c.profile_id.in_(keys())))
_DUE = Prepared(select(DUE).where(DUE.c.profile_id.in_(keys())))
_DELETE_PERFORMED = Prepared(delete(PERFORMED).where(PERFORMED.c.id.in_(keys())))
_DELETE_JOURNEYS = Prepared(delete(JOURNEYS).where(JOURNEYS.c.profile_id.in_(keys())))
_DELETE_DUE = Prepared(delete(DUE).where(DUE.c.profile_id.in_(keys())))


class HistoryStore:
    """The histories of the profiles that one transaction works on."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def load(self, profiles: Collection[Profile]) -> None:
        """Fills in the histories of stored profiles."""
        by_key = {profile.key: profile for profile in profiles}
        for row in _PERFORMED.matching(self._connection, by_key):
            done = Performed(id=row.id, event=row.event, at=row.at, properties=json.loads(row.properties))
            by_key[row.profile_id].performed.setdefault(row.event, []).append(done)
        for row in _JOURNEYS.matching(self._connection, by_key):
            by_key[row.profile_id].journeys[row.journey_id] = Progress(
                epoch_id=row.epoch_id,
                entered_at=row.entered_at,
                joined_at=row.joined_at,
                step=row.step,
                exited=row.exited,
                context=json.loads(row.context),
            )
        for row in _DUE.matching(self._connection, by_key):
            by_key[row.profile_id].due = row.at

    def save(self, profiles: Collection[Profile], absorbed: Collection[Profile]) -> None:
        """Writes what changed of saved profiles; `absorbed` are those that were merged into them."""
        stored = {event for profile in (*profiles, *absorbed) for event in profile.stored.events}
        forgotten = stored - {done.id for profile in profiles for done in profile.events()}
        events = [row for profile in profiles for row in _new_events(profile)]
        self._replace(_DELETE_PERFORMED, sorted(forgotten), PERFORMED, events)
        moved = [profile for profile in profiles if profile.journeys != profile.stored.journeys]
        steps = [row for profile in moved for row in _journey_rows(profile)]
        self._replace(_DELETE_JOURNEYS, [profile.key for profile in moved], JOURNEYS, steps)
        rescheduled = [profile for profile in profiles if profile.due != profile.stored.due]
        due = [{"profile_id": profile.key, "at": profile.due} for profile in rescheduled if profile.due is not None]
        self._replace(_DELETE_DUE, [profile.key for profile in rescheduled], DUE, due)

    def reassign(self, absorbed: int, kept: int) -> None:
        """Moves the stored events of a profile that was merged to another; deletes its progress in journeys."""
        moved = update(PERFORMED).where(PERFORMED.c.profile_id == absorbed).values(profile_id=kept)
        self._connection.execute(moved)
        for removal in (_DELETE_JOURNEYS, _DELETE_DUE):
            removal.run_matching(self._connection, [absorbed])

    def _replace(
        self, removal: Prepared, gone: Sequence[int | None], table: Table, rows: Sequence[Mapping[str, Any]]
    ) -> None:
        removal.run_matching(self._connection, gone)
        insert_rows(self._connection, table, rows)


def _new_events(profile: Profile) -> Iterator[dict[str, Any]]:
    for done in profile.events():
        if done.id is None:
            properties = json.dumps(done.properties)
            yield {"profile_id": profile.key, "event": done.event, "at": done.at, "properties": properties}


def _journey_rows(profile: Profile) -> Iterator[dict[str, Any]]:
    for journey_id, progress in profile.journeys.items():
        yield {
            "profile_id": profile.key,
            "journey_id": journey_id,
            "epoch_id": progress.epoch_id,
            "step": progress.step,
            "entered_at": progress.entered_at,
            "joined_at": progress.joined_at,
            "exited": progress.exited,
            "context": json.dumps(progress.context),
        }
