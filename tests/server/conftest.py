"""What tests of the HTTP server share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from werkzeug.test import Client

from emulator import Emulator
from emulator.server.listener import Listener

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

Start = Callable[["WSGIApplication"], Listener]


@pytest.fixture
def listening() -> Iterator[Start]:
    """Serves applications until the end of the test."""
    with ExitStack() as opened:

        def start(application: WSGIApplication) -> Listener:
            listener = Listener(application)
            listener.start()
            opened.callback(listener.stop)
            return listener

        yield start


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """One with a frozen clock."""
    with Emulator() as emulator:
        emulator.client.post("/_emulator/clock/freeze")
        yield emulator


@pytest.fixture
def client(emulator: Emulator) -> Client:
    return emulator.client
