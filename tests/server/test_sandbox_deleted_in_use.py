"""A sandbox deleted during a request: its secrets become unknown, and nothing fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from emulator import Emulator
from emulator.protocol import DEFAULT_SANDBOX
from emulator.server.sandboxes import NamedSandbox
from emulator.server.services import SandboxServices

USER = "{ user { email } }"


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@contextmanager
def deleted_in_use(emulator: Emulator, monkeypatch: pytest.MonkeyPatch, *, found: bool) -> Iterator[None]:
    """Deletes each sandbox that a request addresses, just before it is opened or just after."""
    sandboxes = emulator.sandboxes
    opened = sandboxes._opened

    def delete_and_open(sandbox: NamedSandbox) -> SandboxServices:
        if sandbox.name == DEFAULT_SANDBOX:
            # It only journals the request.
            return opened(sandbox)
        if not found:
            sandboxes.delete(sandbox.name)
        services = opened(sandbox)
        sandboxes.delete(sandbox.name)
        return services

    with monkeypatch.context() as patched:
        patched.setattr(sandboxes, "_opened", delete_and_open)
        yield


@pytest.mark.parametrize("found", [False, True])
def test_a_token_of_a_sandbox_that_is_deleted_in_use_is_unknown(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, found: bool
) -> None:
    bearer = {"authorization": f"Bearer {emulator.sandboxes.create().workspace.tokens[0].secret}"}
    with deleted_in_use(emulator, monkeypatch, found=found):
        asked = emulator.client.post("/graphql", json={"query": USER}, headers=bearer)
    unknown = emulator.client.post("/graphql", json={"query": USER}, headers=bearer)
    assert asked.status_code == unknown.status_code == 401
    messages = [answer.json["errors"][0]["message"] for answer in (asked, unknown) if answer.json]
    assert messages[0] == messages[1]
    listed = emulator.client.get("/_emulator/journal?status=401").get_json()["entries"]
    assert [entry["refusal"] for entry in listed] == ["unknown_token"] * 2
    assert not caplog.records


@pytest.mark.parametrize("found", [False, True])
def test_a_write_key_of_a_sandbox_that_is_deleted_in_use_is_unknown(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, found: bool
) -> None:
    call = {"userId": "u", "writeKey": emulator.sandboxes.create().workspace.sources[0].write_key}
    with deleted_in_use(emulator, monkeypatch, found=found):
        response = emulator.client.post("/v1/identify", json=call)
    unknown = emulator.client.post("/v1/identify", json=call)
    assert response.status_code == unknown.status_code == 400
    assert response.json == unknown.json
    listed = emulator.client.get("/_emulator/calls?accepted=false").get_json()["calls"]
    assert [(call["userId"], call["reason"]) for call in listed] == [("u", "unknown_source")] * 2


@pytest.mark.parametrize("found", [False, True])
def test_the_clock_of_a_sandbox_that_is_deleted_in_use_is_not_found(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, found: bool
) -> None:
    name = emulator.sandboxes.create().name
    headers = {"x-emulator-sandbox": name}
    with deleted_in_use(emulator, monkeypatch, found=found):
        answer = emulator.client.post("/_emulator/clock/advance", json={"hours": 1}, headers=headers)
    assert answer.status_code == 404
    assert answer.json is not None
    assert answer.json["message"] == ("this sandbox was closed" if found else f"unknown sandbox {name!r}")
