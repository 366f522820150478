"""One sandbox with the two companies that live in it, joined by a transport and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from emulator.sandbox import Sandbox
from emulator.segment import Segment
from emulator.stackadapt import StackAdapt
from emulator.transport import HttpTransport, Transport
from emulator.workspace import Destination

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

# The host is never resolved: the request goes straight into the application.
_IN_PROCESS_URL = "http://127.0.0.1/graphql"

# Every stop sends requests of its own: stopping for thousands of people, each at their moment, would take minutes.
_STOPS_FOR_CHANGES = 100


class SandboxServices:
    """Segment on one side, StackAdapt on the other. `app` gives the application that answers `/graphql`.

    `uploads` is the folder whose files uploads may name.
    """

    def __init__(self, sandbox: Sandbox, app: Callable[[], WSGIApplication], *, uploads: Path | None = None) -> None:
        self.sandbox = sandbox
        self._app = app
        self._transports: dict[str, HttpTransport] = {}
        self._opening = Lock()
        self.stackadapt = StackAdapt(sandbox, api_version=sandbox.workspace.api_version, uploads=uploads)
        self.segment = Segment(sandbox, self._transport)

    def catch_up(self) -> None:
        """Lets everything happen that has become due."""
        self.segment.process_due()
        self.stackadapt.process_due()

    def advance(self, by: timedelta) -> None:
        """Moves the clock forward, and stops on the way wherever something is due, so that it happens at its time.

        Raises InputError for a duration that leads past the end of time.
        """
        clock = self.sandbox.clock
        clock.check_advance(by)
        self.catch_up()
        stops = _STOPS_FOR_CHANGES
        while True:
            change = self.segment.next_change(until=clock.now() + by, stops=stops)
            moments = [moment for moment in (self.segment.next_delivery(), change) if moment is not None]
            if not moments or (step := max(min(moments) - clock.now(), timedelta())) > by:
                break
            stops -= min(moments) == change
            clock.advance(step)
            by -= step
            self.catch_up()
        clock.advance(by)
        self.catch_up()

    def reset(self) -> None:
        """Back to how the workspace left it: no data, no history, no faults, the machine's time."""
        self.segment.reset()
        self.stackadapt.reset()
        self.sandbox.reset()

    def close(self) -> None:
        """Closes transports and store."""
        for transport in self._transports.values():
            transport.close()
        self.sandbox.close()

    def _transport(self, destination: Destination) -> Transport:
        url = destination.endpoint or _IN_PROCESS_URL
        with self._opening:
            if url not in self._transports:
                app = None if destination.endpoint else self._app()
                self._transports[url] = HttpTransport(url, app=app)
            return self._transports[url]
