"""`Emulator`: both services and the control API as one object, in process or on a port."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from flask import Flask
from werkzeug.test import Client

from emulator.clock import Clock
from emulator.errors import EmulatorError, UserMistake
from emulator.journal import Listener as Reporter
from emulator.protocol import DEFAULT_SANDBOX, SANDBOX_HEADER
from emulator.sandbox import SHARED, Sandbox
from emulator.segment import Segment
from emulator.server.access import HEALTH
from emulator.server.app import bind, create_app
from emulator.server.control.sandboxes import shown_at
from emulator.server.host_names import open_to
from emulator.server.listener import Listener
from emulator.server.listener import bind as bind_socket
from emulator.server.registry import REGISTRY
from emulator.server.sandboxes import Sandboxes
from emulator.server.services import TABLES, SandboxServices
from emulator.server.start import Given, start_of
from emulator.server.stores import stores_in
from emulator.server.trial import open_trial
from emulator.server.turns import Pace
from emulator.stackadapt import StackAdapt
from emulator.workspace import Workspace, load_workspace, parse_workspace

if TYPE_CHECKING:
    from emulator.harness.why import Diagnosis

Observe = Callable[[SandboxServices], object]

# A document with more than a few profiles takes more time than handing it to a thread.
_SHORT_BYTES = 16 * 1024
# A sandbox that is not the default one may have to be opened.
_NAMES_SANDBOX = frozenset({"HTTP_AUTHORIZATION", f"HTTP_{SANDBOX_HEADER.upper().replace('-', '_')}"})


class Emulator:
    """An independent emulator; it shares nothing unless `database` names a PostgreSQL database.

    >>> with Emulator() as emulator:
    ...     emulator.client.get("/_emulator/health").json["status"]
    'ok'

    `data` is a folder for one SQLite file per sandbox; without it the data is in memory. `client` calls it in process;
    `start()` opens a port and returns its URL. With `control_token`, control requests must send it. Data keeps its
    workspace, with the changes at run time: another one is refused unless `replace_workspace` is set, and `notice` says
    if the given one is not the one in use. `latency` and `api_version` replace what the workspace says.
    """

    def __init__(
        self,
        workspace: Workspace | Path | str | None = None,
        *,
        data: Path | None = None,
        database: str | None = None,
        clock: Clock | None = None,
        uploads: Path | None = None,
        control_token: str | None = None,
        replace_workspace: bool = False,
        latency: str | None = None,
        api_version: str | None = None,
    ) -> None:
        if isinstance(workspace, Path | str):
            workspace = load_workspace(workspace) if str(workspace) else None
        self._given = given = Given(
            workspace=workspace, replace=replace_workspace, latency=latency, api_version=api_version
        )
        self._stores = stores_in(data, database)
        self._clock = clock
        self._uploads = uploads
        self._reporters: list[Reporter] = []
        self._observe: Observe | None = None
        self._listener: Listener | None = None
        self.app: Flask = create_app(control_token)
        try:
            start = start_of(given, self._stores)
            self.sandboxes = Sandboxes(start, self._stores, self._open_services)
        except EmulatorError:
            self._stores.close()
            raise
        self.notice = start.notice
        bind(self.app, self.sandboxes, Emulator)

    @property
    def services(self) -> SandboxServices:
        """The services of the default sandbox."""
        return self.sandboxes.services(DEFAULT_SANDBOX)

    @property
    def sandbox(self) -> Sandbox:
        """Clock, faults, journal and store of the default sandbox."""
        return self.services.sandbox

    @property
    def stackadapt(self) -> StackAdapt:
        """The StackAdapt service: profiles, rejections, segments."""
        return self.services.stackadapt

    @property
    def segment(self) -> Segment:
        """The Segment service: calls, audiences, deliveries."""
        return self.services.segment

    @property
    def client(self) -> Client:
        """A client that calls the application without a socket."""
        return self.app.test_client()

    def described(self) -> dict[str, Any]:
        """The default sandbox with its credentials, as the control API describes it, for clients in process."""
        return shown_at(self._listener.url if self._listener else "", self.sandboxes.get(DEFAULT_SANDBOX))

    def with_options(self, workspace: Workspace) -> Workspace:
        """A workspace with the latency and API version that the emulator was started with. Raises InputError."""
        return self._given.adjusted(workspace)

    def change_workspace(
        self, workspace: Workspace | Mapping[str, Any] | Path | str, *, sandbox: str = DEFAULT_SANDBOX
    ) -> Workspace:
        """Goes on with another workspace, also in JSON form or as a file; data, queue and clock stay.

        Returns it as the sandbox has it. Raises UserMistake for one that an emulator would not start with; the previous
        one stays active then.
        """
        if isinstance(workspace, Path | str):
            workspace = load_workspace(workspace)
        wanted = workspace if isinstance(workspace, Workspace) else parse_workspace(workspace)
        return self.sandboxes.change(sandbox, lambda _: wanted).workspace

    def why(
        self,
        *,
        email: str | None = None,
        user_id: str | None = None,
        message_id: str | None = None,
        property: str | None = None,  # noqa: A002 - the name that the question has everywhere
        segment: str | None = None,
    ) -> Diagnosis:
        """Why a person, a message, a property or a membership did not arrive; `arrived` when it did.

        One of `email`, `user_id` and `message_id` names who is missing, `segment` the id of a segment. Raises
        InputError without any, NotFound for an unknown segment.
        """
        from emulator.harness.why import Question, why  # asked seldom, imports much

        question = Question(email=email, user_id=user_id, message_id=message_id, property=property, segment=segment)
        return why(question, self.services, open_trial)

    def report_to(self, reporter: Reporter) -> None:
        """Calls `reporter` with the events of any sandbox from now on; those that happen together come in one call."""
        self._reporters.append(reporter)
        for services in self.sandboxes.opened():
            services.sandbox.journal.listen(reporter)

    def before_discarding(self, observe: Observe) -> None:
        """Calls `observe` with a sandbox's services before a reset or a deletion discards what it has recorded."""
        self._observe = observe
        for services in self.sandboxes.opened():
            services.before_discarding = observe

    def start(self, *, host: str = "127.0.0.1", port: int = 0) -> str:
        """Listens on a port (a free one by default) in a background thread and returns the URL.

        Raises PortInUse, and UserMistake when it is already listening.
        """
        if self._listener is not None:
            raise UserMistake(
                "this emulator is already listening", found=self._listener.url, hint="Create another Emulator."
            )
        listening = bind_socket(host, port)
        open_to(self.app, host, listening)
        self._listener = self.listener(listening)
        self._listener.start()
        return self._listener.url

    @property
    def url(self) -> str:
        """The URL of its port; opens a free one on first use."""
        return self._listener.url if self._listener is not None else self.start()

    def listener(self, listening: socket.socket) -> Listener:
        """Serves the application on a bound socket once it is started."""
        return Listener(self.app, listening=listening, before_stop=self.end_waits, pace_of=self._pace_of)

    def _pace_of(self, environ: Mapping[str, Any]) -> Pace:
        """GraphQL waits for nothing but the store, and health not even for that."""
        path = environ["PATH_INFO"]
        if path == HEALTH and not self._stores.shared and environ.keys().isdisjoint(_NAMES_SANDBOX):
            return Pace.IMMEDIATE
        short = path == "/graphql" and int(environ.get("CONTENT_LENGTH", 0)) <= _SHORT_BYTES and self._stores.idle
        return Pace.SHORT if short else Pace.ANY

    def end_waits(self) -> None:
        """Ends the requests that wait for something to happen."""
        for services in self.sandboxes.opened():
            services.changes.end()

    def close(self) -> None:
        """Finishes the requests in progress, stops listening and closes the stores."""
        if self._listener is not None:
            self._listener.stop()
            self._listener = None
        self.sandboxes.close()
        self._stores.close()

    def _open_services(self, name: str, key: str, workspace: Workspace) -> SandboxServices:
        clock = self._clock if name == DEFAULT_SANDBOX else None
        store = self._stores.open(key)
        try:
            more = (*(SHARED if store.shared else ()), *((REGISTRY,) if name == DEFAULT_SANDBOX else ()))
            store.create(*TABLES, *more)
            sandbox = Sandbox(workspace, name=name, store=store, clock=clock)
            for reporter in self._reporters:
                sandbox.journal.listen(reporter)
            services = SandboxServices(sandbox, lambda: self.app, uploads=self._uploads)
        except EmulatorError:
            store.close()
            raise
        if self._observe is not None:
            services.before_discarding = self._observe
        return services

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
