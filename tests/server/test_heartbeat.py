"""A server processes what becomes due without any request."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

import pytest

from emulator import Emulator
from emulator.clock import Clock
from emulator.errors import WorkspaceError
from emulator.events import BatchDelivered
from emulator.server.heartbeat import Heartbeat
from emulator.store_failures import StoreFailure
from emulator.workspace import load_workspace

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
VIP = {"userId": "u1", "traits": {"email": "ada@example.com", "total_spent": 900}}
PERIOD_SECONDS = 0.001
PATIENCE_SECONDS = 20


class Broken:
    """Services that fail."""

    def __init__(self, services: Any) -> None:
        self.sandbox = services.sandbox

    def process_due_when_needed(self) -> None:
        raise RuntimeError("something is wrong here")


FAILURES = {
    "store": StoreFailure("the database is away", where="database", hint=None, retry_after=1),
    "workspace of another version": WorkspaceError("unknown key", where="sandbox"),
    "defect": RuntimeError("something else is wrong"),
}


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES.keys())
def test_an_old_enough_batch_is_sent_although_another_sandbox_fails_and_so_did_the_list_of_them(
    failure: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    workspace = load_workspace()
    [destination] = workspace.destinations
    slow = replace(destination, batch_age=timedelta(hours=1))
    with Emulator(replace(workspace, destinations=(slow,)), clock=Clock(frozen_at=NOON)) as emulator:
        left = Event()
        emulator.report_to(
            lambda events: left.set() if any(isinstance(event, BatchDelivered) for event in events) else None
        )
        emulator.client.post("/v1/identify", json=VIP, auth=("segment-local", ""))
        # The clock only: `SandboxServices.advance` would send it.
        emulator.sandbox.clock.advance(timedelta(hours=1))
        assert not left.is_set()
        opened: Any = [Broken(emulator.services), emulator.services]
        failures = iter([failure])

        def listed() -> Any:
            for each in failures:
                raise each
            return opened

        with Heartbeat(listed, period_seconds=PERIOD_SECONDS):
            assert left.wait(PATIENCE_SECONDS)
    assert "something is wrong here" in caplog.text
