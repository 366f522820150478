"""The console of an emulator in process, and a browser for those tests that need one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from werkzeug.test import Client

from emulator.server.emulator import Emulator
from tests.console import chromium
from tests.console.pages import EMAIL, send

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture
def client() -> Iterator[Client]:
    with Emulator() as emulator:
        emulator.client.post("/_emulator/clock/freeze")
        yield emulator.client


@pytest.fixture
def filled(client: Client) -> Client:
    send(client, userId="ada", traits={"email": EMAIL, "total_spent": 700})
    send(client, userId="grace", traits={"total_spent": 700})
    client.post("/_emulator/clock/advance", json={"hours": 5})
    rule = {"field": "segment_engage_audience_name", "operator": "equals", "value": "vip_customers"}
    assert (
        client.post("/_emulator/segments", json={"advertiserId": "1001", "name": "VIP", "rule": rule}).status_code
        == 201
    )
    return client


# Of a module: while it is open, its event loop runs, and others cannot run theirs.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    why = chromium.missing()
    if why is not None and chromium.is_required():
        pytest.fail(f"{chromium.REQUIRE_VARIABLE}=1, but {why}")
    if why is not None:
        pytest.skip(why)
    with chromium.running() as started:
        yield started
