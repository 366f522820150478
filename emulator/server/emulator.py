"""`Emulator`: the whole thing as one object, in process or on a real port."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from flask import Flask
from werkzeug.test import Client

from emulator.clock import Clock
from emulator.errors import EmulatorError, UserMistake
from emulator.journal import Listener as Reporter
from emulator.protocol import DEFAULT_SANDBOX
from emulator.sandbox import Sandbox
from emulator.segment import Segment
from emulator.server.app import create_app
from emulator.server.listener import Listener
from emulator.server.sandboxes import Sandboxes
from emulator.server.services import SandboxServices
from emulator.server.stores import stores_in
from emulator.stackadapt import StackAdapt
from emulator.workspace import Workspace, load_workspace


class Emulator:
    """An emulator of its own, with nothing shared unless `database` names a PostgreSQL database.

    >>> with Emulator() as emulator:
    ...     emulator.client.get("/_emulator/health").json["status"]
    'ok'

    `data` is a folder that keeps everything, in one SQLite file a sandbox; without one it lives in memory.
    `client` speaks to it in process; `start()` opens a real port and returns its URL.
    """

    def __init__(
        self,
        workspace: Workspace | Path | str | None = None,
        *,
        data: Path | None = None,
        database: str | None = None,
        clock: Clock | None = None,
        uploads: Path | None = None,
    ) -> None:
        if not isinstance(workspace, Workspace):
            workspace = load_workspace(workspace or None)
        self._stores = stores_in(data, database)
        self._clock = clock
        self._uploads = uploads
        self._reporters: list[Reporter] = []
        self._listener: Listener | None = None
        self.app: Flask = create_app(self)
        try:
            self.sandboxes = Sandboxes(workspace, self._stores, self._open_world)
        except EmulatorError:
            self._stores.close()
            raise

    @property
    def world(self) -> SandboxServices:
        """The default sandbox and what lives in it."""
        return self.sandboxes.world(DEFAULT_SANDBOX)

    @property
    def sandbox(self) -> Sandbox:
        """Clock, faults, journal and store of the default sandbox."""
        return self.world.sandbox

    @property
    def stackadapt(self) -> StackAdapt:
        """StackAdapt's side: profiles, rejections, segments."""
        return self.world.stackadapt

    @property
    def segment(self) -> Segment:
        """Segment's side: calls, audiences, deliveries."""
        return self.world.segment

    @property
    def client(self) -> Client:
        """A client that calls the application without a socket."""
        return self.app.test_client()

    def report_to(self, reporter: Reporter) -> None:
        """Calls `reporter` with everything that happens in any sandbox from now on."""
        self._reporters.append(reporter)
        for world in self.sandboxes.opened():
            world.sandbox.journal.listen(reporter)

    def start(self, *, host: str = "127.0.0.1", port: int = 0) -> str:
        """Listens on a port (a free one by default) on a thread of its own and returns the URL.

        Raises PortInUse, and UserMistake when it listens already.
        """
        if self._listener is not None:
            raise UserMistake("this emulator listens already", found=self._listener.url, hint="Make another emulator.")
        self._listener = Listener(self.app, host=host, port=port)
        self._listener.start()
        return self._listener.url

    @property
    def url(self) -> str:
        """The URL of its port, a free one that is opened when it is first asked for."""
        return self._listener.url if self._listener is not None else self.start()

    def close(self) -> None:
        """Stops listening after the requests under way and lets go of the store."""
        if self._listener is not None:
            self._listener.stop()
            self._listener = None
        self.sandboxes.close()
        self._stores.close()

    def _open_world(self, name: str, workspace: Workspace) -> SandboxServices:
        clock = self._clock if name == DEFAULT_SANDBOX else None
        sandbox = Sandbox(workspace, name=name, store=self._stores.open(name), clock=clock)
        for reporter in self._reporters:
            sandbox.journal.listen(reporter)
        try:
            return SandboxServices(sandbox, lambda: self.app, uploads=self._uploads)
        except EmulatorError:
            sandbox.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
