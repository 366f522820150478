"""What is remembered of people beside traits and audiences: events they performed, journeys, the moment they are due.

Only spaces whose conditions ask for it remember anything here.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, delete, insert, select, update

from emulator.segment.profiles.facts import Performed
from emulator.segment.profiles.profile import Profile, Progress
from emulator.segment.tables import DUE, JOURNEYS, PERFORMED
from emulator.store import portions

# Built once: for a single call, building statements would take longer than running them.
_KEYS: BindParameter[Sequence[int]] = bindparam("keys", expanding=True)
_PERFORMED = select(PERFORMED).where(PERFORMED.c.profile_id.in_(_KEYS)).order_by(PERFORMED.c.id)
_JOURNEYS = select(JOURNEYS).where(JOURNEYS.c.profile_id.in_(_KEYS))
_DUE = select(DUE).where(DUE.c.profile_id.in_(_KEYS))
_FORGET = delete(PERFORMED).where(PERFORMED.c.id.in_(_KEYS))
_NO_JOURNEYS = delete(JOURNEYS).where(JOURNEYS.c.profile_id.in_(_KEYS))
_NOT_DUE = delete(DUE).where(DUE.c.profile_id.in_(_KEYS))


class HistoryStore:
    """The memory of the profiles that one transaction works on."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._events: set[int] = set()
        self._journeys: dict[int, Mapping[str, Progress]] = {}
        self._due: dict[int, int | None] = {}

    def recall(self, profiles: Collection[Profile]) -> None:
        """Fills in what is remembered of stored profiles."""
        by_key = {profile.key: profile for profile in profiles}
        keys = {"keys": list(by_key)}
        for row in self._connection.execute(_PERFORMED, keys):
            done = Performed(id=row.id, event=row.event, at=row.at, properties=json.loads(row.properties))
            by_key[row.profile_id].performed.setdefault(row.event, []).append(done)
            self._events.add(row.id)
        for row in self._connection.execute(_JOURNEYS, keys):
            by_key[row.profile_id].journeys[row.journey_id] = Progress(
                epoch_id=row.epoch_id,
                entered_at=row.entered_at,
                joined_at=row.joined_at,
                step=row.step,
                exited=row.exited,
                context=json.loads(row.context),
            )
        for row in self._connection.execute(_DUE, keys):
            by_key[row.profile_id].due = row.at
        for profile in profiles:
            self._journeys[id(profile)] = dict(profile.journeys)
            self._due[id(profile)] = profile.due

    def save(self, profiles: Collection[Profile]) -> None:
        """Writes what changed of saved profiles."""
        forgotten = self._events - {done.id for profile in profiles for done in _events_of(profile)}
        events = [row for profile in profiles for row in _new_events(profile)]
        self._replace(_FORGET, sorted(forgotten), PERFORMED, events)
        travelling = [profile for profile in profiles if profile.journeys != self._journeys.get(id(profile), {})]
        steps = [row for profile in travelling for row in _journey_rows(profile)]
        self._replace(_NO_JOURNEYS, [profile.key for profile in travelling], JOURNEYS, steps)
        moved = [profile for profile in profiles if profile.due != self._due.get(id(profile))]
        due = [{"profile_id": profile.key, "at": profile.due} for profile in moved if profile.due is not None]
        self._replace(_NOT_DUE, [profile.key for profile in moved], DUE, due)

    def _replace(self, removal: Any, keys: Sequence[int | None], table: Any, rows: Sequence[Mapping[str, Any]]) -> None:
        for some in portions(keys):
            self._connection.execute(removal, {"keys": some})
        if rows:
            self._connection.execute(insert(table), rows)


def reassign(connection: Connection, absorbed: int, kept: int) -> None:
    """Gives the stored events of a profile that is about to go to another. Its journeys go with it."""
    connection.execute(update(PERFORMED).where(PERFORMED.c.profile_id == absorbed).values(profile_id=kept))
    connection.execute(_NO_JOURNEYS, {"keys": [absorbed]})
    connection.execute(_NOT_DUE, {"keys": [absorbed]})


def _events_of(profile: Profile) -> Iterator[Performed]:
    return chain.from_iterable(profile.performed.values())


def _new_events(profile: Profile) -> list[dict[str, Any]]:
    return [
        {
            "profile_id": profile.key,
            "event": done.event,
            "at": done.at,
            "properties": json.dumps(done.properties),
        }
        for done in _events_of(profile)
        if done.id is None
    ]


def _journey_rows(profile: Profile) -> list[dict[str, Any]]:
    return [
        {
            "profile_id": profile.key,
            "journey_id": journey_id,
            "epoch_id": progress.epoch_id,
            "step": progress.step,
            "entered_at": progress.entered_at,
            "joined_at": progress.joined_at,
            "exited": progress.exited,
            "context": json.dumps(progress.context),
        }
        for journey_id, progress in profile.journeys.items()
    ]
