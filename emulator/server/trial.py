"""Both services in memory, apart from every sandbox, to run again what happened to one person."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from flask import Flask

from emulator.clock import Clock
from emulator.sandbox import Sandbox
from emulator.server.services import SandboxServices
from emulator.stackadapt import StackAdapt
from emulator.stackadapt.http import graphql_blueprint
from emulator.transport import HttpTransport
from emulator.workspace import Workspace

_URL = "http://127.0.0.1/graphql"


class TrialServices(SandboxServices):
    """The services, and their GraphQL endpoint for other clients than Segment."""

    def post(self, token: str, body: str) -> None:
        """Posts a body to `/graphql` with a bearer token."""
        headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
        HttpTransport(_URL, app=self._app()).post(headers, body)


@contextmanager
def open_trial(workspace: Workspace, at: datetime) -> Iterator[TrialServices]:
    """Opens services for a workspace with the clock frozen at a time. Raises WorkspaceError."""
    app = Flask(__name__, static_folder=None)
    services = TrialServices(Sandbox(workspace, name="trial", clock=Clock(frozen_at=at)), lambda: app)

    def find(token: str) -> StackAdapt | None:
        return services.stackadapt if workspace.token(token) else None

    app.register_blueprint(graphql_blueprint(find, lambda: services.stackadapt))
    try:
        yield services
    finally:
        services.close()
