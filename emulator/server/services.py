"""The services of one sandbox: Segment and StackAdapt, connected by a transport only."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, TypeAlias

from emulator.clock import LATEST
from emulator.events import ClockMoved, WorkspaceChanged
from emulator.patience import patience
from emulator.protocol import SANDBOX_HEADER
from emulator.sandbox import OPENINGS, Sandbox
from emulator.segment import TABLES as SEGMENT
from emulator.segment import Segment
from emulator.server.advances import AdvanceInProgress, AdvanceStopped
from emulator.server.changes import changes_of
from emulator.stackadapt import StackAdapt
from emulator.stackadapt.tables import DERIVED, STACKADAPT
from emulator.store_failures import StoreFailure
from emulator.stored_clock import CLOCK
from emulator.transport import HttpTransport, Transport
from emulator.workspace import Destination, Workspace
from emulator.workspace_document import document_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

# Those of every sandbox: creating all at once takes the least time.
TABLES = (CLOCK, OPENINGS, STACKADAPT, DERIVED, SEGMENT)

# The host is never resolved: the request goes straight into the application.
_IN_PROCESS_URL = "http://127.0.0.1/graphql"

# Each stop sends its own requests: stopping for thousands of profiles, each at its own time, would take minutes.
_STOPS_FOR_CHANGES = 100


class SandboxServices:
    """The Segment service and the StackAdapt service of a sandbox. `app` returns the application with `/graphql`.

    `uploads` is the folder whose files uploads may name. `change_workspace` exchanges the workspace for another one;
    what keeps workspaces replaces it.
    """

    def __init__(self, sandbox: Sandbox, app: Callable[[], WSGIApplication], *, uploads: Path | None = None) -> None:
        self.sandbox = sandbox
        self.changes = changes_of(sandbox.journal, sandbox.store)
        self._app = app
        self._uploads = uploads
        self.change_workspace: Callable[[Workspace], object] = lambda workspace: self.prepare(workspace)()
        # Called before a reset or a deletion discards what the sandbox has recorded.
        self.before_discarding: Callable[[SandboxServices], object] = lambda _: None
        self._transports: dict[str, HttpTransport] = {}
        self._opening = Lock()
        # The changes of the store after which nothing is due before `_next_due`.
        self._quiet_at: int | None = None
        self._next_due: datetime | None = None
        self.stackadapt, self.segment = self._built(sandbox)

    def prepare(self, workspace: Workspace) -> Callable[[], None]:
        """What to call to go on with another workspace over the same data, queue, clock and journal.

        Raises UserMistake for a workspace that an emulator would not start with. Requests that have begun finish with
        the services that they have. Delivery pauses, and batches that are being sent are waited for. The call raises
        StoreFailure for data that cannot be used: nothing has changed then.
        """
        before = self.sandbox.workspace
        sandbox = self.sandbox.with_workspace(workspace)
        stackadapt, segment = self._built(sandbox)

        def use() -> None:
            self.sandbox, self.stackadapt, self.segment = sandbox, stackadapt, segment
            sandbox.begin_use(before)
            self._quiet_at = None

        recomputed = _conditions(before) != _conditions(workspace)

        def change() -> None:
            segment.succeed(self.segment, recomputed=recomputed, use=use)
            changed = WorkspaceChanged(at=sandbox.clock.now(), parts=_parts(before, workspace))
            sandbox.journal.append(changed)

        return change

    def _built(self, sandbox: Sandbox) -> tuple[StackAdapt, Segment]:
        stackadapt = StackAdapt(sandbox, api_version=sandbox.workspace.api_version, uploads=self._uploads)
        return stackadapt, Segment(sandbox, self._transport)

    def process_due(self) -> None:
        """Processes what is due in both services.

        StackAdapt comes first: what Segment sends now arrives after the records that were due on the way here.
        """
        self.stackadapt.process_due()
        self.segment.process_due()

    def process_due_when_needed(self) -> None:
        """As `process_due`, but leaves the store alone while nothing can be due, so that its file can be closed.

        That is so after nothing was changed for a while, until the time of what is due next.
        """
        store, clock = self.sandbox.store, self.sandbox.clock
        changes = store.changes
        if self._quiet_at == changes and (self._next_due is None or clock.now() < self._next_due):
            return
        self._quiet_at = None
        self.process_due()
        if store.shared or store.changes != changes:
            return
        times = (
            self.stackadapt.next_job(),
            self.segment.next_delivery(overdue=True),
            self.segment.next_change(until=LATEST, stops=sys.maxsize),
        )
        self._next_due = min((at for at in times if at is not None), default=None)
        self._quiet_at = changes

    def advance(self, by: timedelta) -> None:
        """Moves the clock forward. It stops wherever something is due on the way, to process it at its time.

        Other requests go on meanwhile: what they cause is sent on the way. Raises InputError for a duration that leads
        past the latest time, AdvanceStopped when the store fails on the way.
        """
        clock, until = self.sandbox.clock, None
        try:
            # What is sent on the way must have arrived before the clock moves on.
            with patience(None), clock.moving(by) as until, self._reported(by):
                self._advance(by)
            # What other requests have left to it since the last stop.
            self.process_due()
        except StoreFailure as failure:
            raise AdvanceStopped(failure, clock.now(), until) from failure

    @contextmanager
    def _reported(self, by: timedelta) -> Iterator[None]:
        """Reports how far the clock was moved within the block, which may fail on the way."""
        clock = self.sandbox.clock
        started = clock.now()
        try:
            yield
        finally:
            # A clock that is not frozen ran meanwhile, too.
            self._clock_moved("advanced", min(clock.now() - started, by))

    def freeze(self) -> None:
        """Freezes the clock."""
        self.sandbox.clock.freeze()
        self._clock_moved("frozen")

    def resume(self) -> None:
        """Lets a frozen clock run again."""
        self.sandbox.clock.resume()
        self._clock_moved("resumed")

    def _clock_moved(self, action: str, by: timedelta = timedelta()) -> None:
        self.sandbox.journal.append(ClockMoved(at=self.sandbox.clock.now(), action=action, seconds=by.total_seconds()))

    def advance_in_progress(self) -> AdvanceInProgress | None:
        """How far the advance is that another request has begun, to this process or another."""
        until = self.sandbox.clock.moving_until
        return None if until is None else AdvanceInProgress(until, *self.segment.remaining(until=until))

    def _advance(self, by: timedelta) -> None:
        clock = self.sandbox.clock
        self.process_due()
        stops = _STOPS_FOR_CHANGES
        while True:
            change = self.segment.next_change(until=clock.now() + by, stops=stops)
            due = [at for at in (self.segment.next_delivery(), change) if at is not None]
            if not due or (step := max(min(due) - clock.now(), timedelta())) > by:
                break
            stops -= min(due) == change
            clock.advance(step)
            by -= step
            self.process_due()
        clock.advance(by)
        self.process_due()

    def reset(self) -> None:
        """Returns to the state of the workspace: no data, no history, its own faults, the machine's time."""
        self.before_discarding(self)
        self.segment.reset()
        self.stackadapt.reset()
        self.sandbox.reset()

    def close(self) -> None:
        """Ends the delivery, then closes transports and store."""
        self.segment.close()
        for transport in self._transports.values():
            transport.close()
        self.sandbox.close()

    def post(self, token: str, body: str) -> None:
        """Posts a body to `/graphql` with a bearer token, as another client than Segment."""
        headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
        self._in_process(_IN_PROCESS_URL).post(headers, body)

    def transport_to(self, destination: Destination) -> Transport:
        """The transport to the endpoint of a destination instance, the emulated StackAdapt if it names none."""
        return self._transport(destination)

    def _transport(self, destination: Destination) -> Transport:
        url = destination.endpoint or _IN_PROCESS_URL
        with self._opening:
            if url not in self._transports:
                self._transports[url] = HttpTransport(url) if destination.endpoint else self._in_process(url)
            return self._transports[url]

    def _in_process(self, url: str) -> HttpTransport:
        # A request whose token no sandbox has is journalled in the one that it names.
        return HttpTransport(url, app=self._app(), headers={SANDBOX_HEADER: self.sandbox.name})


def _parts(before: Workspace, after: Workspace) -> tuple[str, ...]:
    """The keys of a workspace's JSON form whose values are others."""
    old, new = document_of(before), document_of(after)
    return tuple(key for key in {**old, **new} if old.get(key) != new.get(key))


def _conditions(workspace: Workspace) -> tuple[object, ...]:
    """What decides when time changes a membership."""
    return workspace.audiences, workspace.journeys, workspace.timing


# Finds the services that the current request addresses.
CurrentServices: TypeAlias = Callable[[], SandboxServices]
