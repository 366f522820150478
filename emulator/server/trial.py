"""Both services in memory, apart from every sandbox, to run again what happened to one person."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from flask import Flask

from emulator.clock import Clock
from emulator.request_limits import LimitedRequest
from emulator.sandbox import Sandbox
from emulator.server.services import SandboxServices
from emulator.stackadapt import StackAdapt
from emulator.stackadapt.http import graphql_blueprint
from emulator.workspace import Workspace


@contextmanager
def open_trial(workspace: Workspace, at: datetime) -> Iterator[SandboxServices]:
    """Opens services for a workspace with the clock frozen at a time. Raises WorkspaceError."""
    app = Flask(__name__, static_folder=None)
    app.request_class = LimitedRequest
    services = SandboxServices(Sandbox(workspace, name="trial", clock=Clock(frozen_at=at)), lambda: app)

    def find(token: str) -> StackAdapt | None:
        return services.stackadapt if workspace.token(token) else None

    app.register_blueprint(graphql_blueprint(find, lambda: services.stackadapt))
    try:
        yield services
    finally:
        services.close()
