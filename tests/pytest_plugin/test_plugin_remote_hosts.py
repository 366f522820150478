"""What the plugin sends to another host, and what only with permission."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import httpx
import pytest

from emulator import Emulator
from emulator.harness.client import NoControl, SegmentClient, StackAdaptClient
from emulator.harness.remote_guard import Permission
from emulator.pytest_plugin.targets import target_at
from tests.pytest_plugin.conftest import GRAPHQL_ONLY, TOKEN, Run


class RemoteHost:
    """An emulator in place of another host, which records the requests."""

    def __init__(self, emulator: Emulator) -> None:
        emulator.app.config["ANY_HOST"] = True
        self._app = emulator.app
        self.arrived: list[tuple[str, str]] = []

    def through(self) -> httpx.BaseTransport:
        emulated = httpx.WSGITransport(app=self._app)

        def far_end(request: httpx.Request) -> httpx.Response:
            self.arrived.append((request.method, request.url.path))
            return emulated.handle_request(request)

        return httpx.MockTransport(far_end)


@pytest.fixture
def remote_host() -> Iterator[RemoteHost]:
    with Emulator() as emulator:
        yield RemoteHost(emulator)


PROBE = [("GET", "/_emulator/health"), ("GET", "/_emulator/clock")]


def test_another_host_is_not_probed_without_permission(remote_host: RemoteHost) -> None:
    with pytest.raises(NoControl, match="--stackadapt-allow-remote"):
        target_at("http://emulator.example.org", permission=Permission(), through=remote_host.through)
    assert remote_host.arrived == []


def test_a_remote_emulator_needs_permission_to_write(remote_host: RemoteHost) -> None:
    target = target_at("http://emulator.example.org", permission=Permission(remote=True), through=remote_host.through)
    with (
        pytest.raises(NoControl, match=r"POST /_emulator/sandboxes.*--stackadapt-allow-writes"),
        target.isolated(None, {}),
    ):
        pass
    with (
        target.server(None) as server,
        pytest.raises(NoControl, match="--stackadapt-allow-writes"),
        server.sandbox({"latency": "4h"}),
    ):
        pass
    assert remote_host.arrived == PROBE


def test_a_remote_emulator_is_used_with_permission(remote_host: RemoteHost) -> None:
    permission = Permission(remote=True, writes=True)
    target = target_at("http://emulator.example.org", permission=permission, through=remote_host.through)
    with target.isolated(None, {}) as endpoint:
        SegmentClient(endpoint).identify("u1")
    assert ("POST", "/v1/identify") in remote_host.arrived
    assert remote_host.arrived[-1][0] == "DELETE"


@pytest.mark.parametrize("host", ["api.stackadapt.com", "api.segment.io"])
def test_production_is_never_written_to_whatever_it_says_it_is(remote_host: RemoteHost, host: str) -> None:
    permission = Permission(remote=True, writes=True)
    target = target_at(f"https://{host}", permission=permission, through=remote_host.through)
    with pytest.raises(NoControl, match="production hosts are never written to"), target.isolated(None, {}):
        pass
    assert remote_host.arrived == PROBE


def test_a_remote_mutation_is_blocked() -> None:
    sent: list[str] = []

    def far_end(request: httpx.Request) -> httpx.Response:
        sent.append(request.method)
        return httpx.Response(404)

    target = target_at(
        "https://sandbox.stackadapt.com/public/graphql",
        token="token",
        advertiser="1",
        permission=Permission(remote=True),
        through=lambda: httpx.MockTransport(far_end),
    )
    with (
        target.isolated(None, {}) as endpoint,
        pytest.raises(NoControl, match=r"this may change data on another host.*--stackadapt-allow-writes"),
    ):
        StackAdaptClient(endpoint).graphql("mutation { archiveAdvertiser(id: 1) { clientMutationId } }")
    assert sent == ["GET"]


def test_the_command_line_blocks_remote_writes_by_default(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []

    def far_end(request: httpx.Request) -> httpx.Response:
        sent.append(request.method)
        return httpx.Response(404)

    through = partial(target_at, through=lambda: httpx.MockTransport(far_end))
    monkeypatch.setattr("emulator.pytest_plugin.targets.target_at", through)
    result = run(
        GRAPHQL_ONLY,
        "-rs",
        "-k=writes",
        "--stackadapt-url=https://sandbox.stackadapt.com/public/graphql",
        f"--stackadapt-token={TOKEN}",
        "--stackadapt-advertiser=1001",
        "--stackadapt-allow-remote",
    )
    result.assert_outcomes(skipped=1, deselected=2)
    result.stdout.fnmatch_lines(["SKIPPED*this may change data on another host*--stackadapt-allow-writes*"])
    assert sent == ["GET"]
