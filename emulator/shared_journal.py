"""The journal of a sandbox that several processes share: in its schema of a PostgreSQL database.

Numbers count up over all processes. Each process keeps a copy and reads only what the others have added since. An
event is numbered while the row of the journal is locked, so that a reader never meets a number before a smaller one.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from sqlalchemy import ARRAY, BigInteger, Column, DateTime, Integer, MetaData, Table, Text

from emulator.errors import NotFound
from emulator.events import Event
from emulator.ids import idempotency_key, secret
from emulator.journal import CAPACITY, CAPACITY_BYTES, ID_CHARACTERS, E, Following, Journal
from emulator.notices import CHANNEL
from emulator.store import Store
from emulator.stored_events import kind_of, read_event, written

SHARED_JOURNAL = MetaData()
# One row: the journal's id, the numbers of its newest event and of the last clearing, until when a process waits, and
# the keys of the newest appends: one whose connection is lost is run again, whether it was committed or not.
STATE = Table(
    "sandbox_journal",
    SHARED_JOURNAL,
    Column("row", Integer, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("cleared", BigInteger, nullable=False),
    Column("awaited_until", DateTime(timezone=True)),
    Column("appended", ARRAY(BigInteger), nullable=False, server_default="{}"),
)
EVENTS = Table(
    "sandbox_journal_events",
    SHARED_JOURNAL,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
)

# Each process deletes what is over the capacity after so many events or bytes of its own.
_TRIM_EVENTS = CAPACITY // 20
_TRIM_BYTES = CAPACITY_BYTES // 16
# So many appends of other processes may come between the two runs of one.
_KEYS = 64

_OPEN = """
INSERT INTO {schema}.sandbox_journal (row, id, last, cleared) VALUES (1, %s, 0, 0) ON CONFLICT DO NOTHING
"""
_ID = "SELECT id FROM {schema}.sandbox_journal"
# Returns nothing when its key is there already.
_APPEND = """
WITH changed AS (
  UPDATE {schema}.sandbox_journal SET last = last + %s, appended = (%s::bigint || appended)[:%s]
  WHERE %s::bigint <> ALL(appended) RETURNING last, awaited_until
),
added AS (
  INSERT INTO {schema}.sandbox_journal_events (number, kind, event, size)
  SELECT changed.last - %s + given.position, given.kind, given.event, given.size
  FROM changed, unnest(%s::text[], %s::text[], %s::bigint[]) WITH ORDINALITY AS given (kind, event, size, position)
)
SELECT last, (SELECT pg_notify(%s, %s)::text WHERE changed.awaited_until > clock_timestamp()) FROM changed
"""
# What is appended meanwhile may escape the deletion; its number says that it is gone.
_CLEAR = """
WITH gone AS (DELETE FROM {schema}.sandbox_journal_events),
changed AS (
  UPDATE {schema}.sandbox_journal SET last = last + 1, cleared = last + 1 RETURNING last, awaited_until
)
SELECT last, (SELECT pg_notify(%s, %s)::text WHERE changed.awaited_until > clock_timestamp()) FROM changed
"""
_READ = """
SELECT journal.last, journal.cleared, events.number, events.kind, events.event FROM {schema}.sandbox_journal AS journal
LEFT JOIN {schema}.sandbox_journal_events AS events ON events.number > greatest(%s, journal.cleared)
ORDER BY events.number
"""
_TRIM = """
DELETE FROM {schema}.sandbox_journal_events USING {schema}.sandbox_journal AS journal
WHERE number <= greatest(journal.last - %s, (
  SELECT max(number) FROM (
    SELECT number, sum(size) OVER (ORDER BY number DESC) AS together FROM {schema}.sandbox_journal_events
  ) AS sized WHERE together > %s AND number < journal.last
))
"""
_AWAIT = """
UPDATE {schema}.sandbox_journal SET awaited_until = greatest(awaited_until, clock_timestamp() + %s * interval '1 s')
RETURNING last
"""


class SharedJournal(Journal):
    """The journal in a store that is shared. Listeners are called with the events of this process only.

    Reading raises NotFound when the sandbox was deleted. Everything raises StoreFailure when the database cannot be
    used. What was added is on disk, and so is what the caller has committed before.
    """

    def __init__(self, store: Store, *, capacity: int = CAPACITY, capacity_bytes: int = CAPACITY_BYTES) -> None:
        super().__init__(capacity=capacity, capacity_bytes=capacity_bytes)
        self._store = store
        self._untrimmed = self._untrimmed_bytes = 0
        store.run(_OPEN, secret("")[:ID_CHARACTERS])
        [[self._id]] = store.run(_ID)

    def extend(self, events: Sequence[Event]) -> None:
        """Adds events that happened together and calls the listeners with them."""
        if not events:
            return
        try:
            # The sandbox may have been deleted meanwhile, and its journal with it.
            with suppress(NotFound):
                self._append(events)
        finally:
            self._report(events)

    def _append(self, events: Sequence[Event]) -> None:
        kinds = [kind_of(event) for event in events]
        sizes = [event.size for event in events]
        texts = [written(event) for event in events]
        number = len(events)
        key = idempotency_key()
        counted = (number, key, _KEYS, key, number)
        added = self._store.run(_APPEND, *counted, kinds, texts, sizes, CHANNEL, self._store.schema)
        with self._lock:
            if added and self._last == added[0][0] - number:
                # Nothing of another process is in between.
                self._add(events)
            self._untrimmed += number
            self._untrimmed_bytes += sum(sizes)
            trims = self._untrimmed > min(_TRIM_EVENTS, self._capacity) or self._untrimmed_bytes > _TRIM_BYTES
            if trims:
                self._untrimmed = self._untrimmed_bytes = 0
        if trims:
            self._store.run(_TRIM, self._capacity, self._capacity_bytes)

    def entries(self, kind: type[E]) -> list[E]:
        """The events of one kind, oldest first."""
        self._catch_up()
        return super().entries(kind)

    def before(self, cursor: str | None, kind: type[E]) -> list[tuple[int, E]]:
        """As of `Journal`, over all processes."""
        self._catch_up()
        return super().before(cursor, kind)

    def after(self, cursor: str | None) -> Following:
        """As of `Journal`, over all processes."""
        self._catch_up()
        return super().after(cursor)

    def clear(self) -> None:
        """Deletes every event; listeners stay."""
        self._store.run(_CLEAR, CHANNEL, self._store.schema)

    def expect(self, seconds: float) -> int:
        """Has other processes notify this one of what they add, for so long; returns the number of the newest event."""
        [[last]] = self._store.run(_AWAIT, seconds)
        return int(last)

    def _catch_up(self) -> None:
        """Reads what other processes have added or cleared."""
        with self._lock:
            rows = self._store.run(_READ, self._last)
            last, cleared = rows[0][:2]
            added = [(number, kind, text) for _, _, number, kind, text in rows if number is not None]
            if cleared > self._cleared:
                self._forget(cleared)
            if added and added[0][0] != self._last + 1:
                # What is in between is over the capacity, and so is everything before.
                self._forget(self._cleared)
            self._last = last - len(added)
            self._add([read_event(kind, text) for _, kind, text in added])

    def _forget(self, cleared: int) -> None:
        self._cleared = cleared
        self._last = max(self._last, cleared)
        self._events.clear()
        self._bytes = 0
