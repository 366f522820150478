"""`Emulator`: the whole thing as one object, in process or on a real port."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from flask import Flask
from werkzeug.test import Client

from emulator.clock import Clock
from emulator.sandbox import Sandbox
from emulator.segment import Segment
from emulator.server.app import create_app
from emulator.server.listener import Listener
from emulator.server.world import World
from emulator.stackadapt import StackAdapt
from emulator.store import MEMORY, Store
from emulator.workspace import Workspace, load_workspace


class Emulator:
    """An emulator of its own, with nothing shared.

    >>> with Emulator() as emulator:
    ...     emulator.client.get("/_emulator/health").json["status"]
    'ok'

    `client` speaks to it in process; `start()` opens a real port and returns its URL.
    """

    def __init__(
        self,
        workspace: Workspace | Path | str | None = None,
        *,
        data: Path | None = None,
        clock: Clock | None = None,
    ) -> None:
        if not isinstance(workspace, Workspace):
            workspace = load_workspace(Path(workspace) if workspace else None)
        self.app: Flask = create_app(self)
        sandbox = Sandbox(workspace, store=Store(_database(data)), clock=clock)
        self.world = World(sandbox, lambda: self.app)
        self._listener: Listener | None = None

    @property
    def sandbox(self) -> Sandbox:
        """Clock, faults, journal and store of this emulator."""
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

    def world_of_token(self, token: str) -> World | None:
        """The world in which a bearer token is known."""
        return self.world if self.sandbox.workspace.token(token) else None

    def world_of_write_key(self, write_key: str) -> World | None:
        """The world in which a write key is known."""
        return self.world if self.sandbox.workspace.source(write_key) else None

    def start(self, *, host: str = "127.0.0.1", port: int = 0) -> str:
        """Listens on a port (a free one by default) on a thread of its own and returns the URL.

        Raises PortInUse.
        """
        self._listener = Listener(self.app, host=host, port=port)
        self._listener.start()
        return self._listener.url

    def close(self) -> None:
        """Stops listening after the requests under way and lets go of the store."""
        if self._listener is not None:
            self._listener.stop()
            self._listener = None
        self.world.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _database(data: Path | None) -> str:
    if data is None:
        return MEMORY
    data.mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{data / 'default.sqlite'}"
