"""What comes in at the destination instances: Engage's events, and the calls of the sources they are connected to."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection as Transaction

from emulator.ids import Ids
from emulator.segment.delivery.enqueue import Discarded, enqueue
from emulator.segment.delivery.event_checks import checked, event_checks
from emulator.segment.delivery.source_events import connected, source_events
from emulator.segment.delivery.switches import recipients
from emulator.segment.engage.emitted_events import EmittedEvent
from emulator.segment.tracking.calls import Call
from emulator.workspace import Workspace


class EventIntake:
    """The destination instances of a workspace, with their switches, checks and sources."""

    def __init__(self, workspace: Workspace, ids: Ids) -> None:
        self._recipients = tuple(recipients(workspace))
        self._checks = event_checks(workspace, ids)
        self._connected = connected(workspace)

    def queue(
        self,
        transaction: Transaction,
        events: Sequence[EmittedEvent],
        *,
        calls: Sequence[Call] = (),
        source: str | None = None,
    ) -> Discarded:
        """Queues the calls of a source where they are sent on to, then the events; returns what was discarded at once.

        `source` is the one whose calls caused the events.
        """
        if source in self._connected:
            events = [*source_events(calls, self._connected[source]), *events]
        if not self._checks:
            return enqueue(transaction, events, self._recipients, source=source)
        events, stopped = checked(events, self._checks)
        return enqueue(transaction, events, self._recipients, source=source, stopped=stopped)
