"""`mcp` as a client starts it: over standard input and output, and without the extra."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from emulator.cli import mcp
from emulator.cli.own_server import OwnServer
from tests.conftest import command, environment

Call = Callable[..., subprocess.CompletedProcess[str]]


def test_a_client_debugs_a_missing_person_in_three_calls(tmp_path: Path) -> None:
    """Nothing runs in this folder, so that the command starts an emulator of its own."""
    program, *arguments = command("mcp")
    variables = {**environment(), "XDG_STATE_HOME": str(tmp_path)}
    started = StdioServerParameters(command=program, args=arguments, env=variables, cwd=tmp_path)

    async def debug() -> list[Any]:
        sent = {"type": "identify", "user_id": "u1", "email": "ada@example.com"}
        async with Client(stdio_client(started)) as client:
            await client.call_tool("send_event", {**sent, "traits": {"total_spent": 20}})
            asked = await client.call_tool("why", {"user_id": "u1"})
            again = await client.call_tool("send_event", {**sent, "traits": {"total_spent": 900}})
            now = await client.call_tool("why", {"user_id": "u1"})
            return [each.structured_content["answer"] for each in (asked, again, now)]

    asked, again, now = anyio.run(debug)
    assert asked["stopped"]["stage"] == "audience"
    assert [change["where"] for change in asked["changes"]] == ["traits.total_spent"]
    assert again["result"] == "reached"
    assert now["arrived"]


@pytest.fixture
def without_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mcp", None)


@pytest.mark.usefixtures("without_extra")
def test_without_the_extra_it_says_how_to_install_it(call: Call) -> None:
    shown = call("mcp")
    assert (shown.returncode, shown.stdout) == (2, "")
    assert shown.stderr == (
        "error: mcp: the SDK of the Model Context Protocol is not installed. "
        "Install it with: pip install 'stackadapt-emulator[mcp]'\n"
    )


@pytest.mark.usefixtures("without_extra")
def test_help_needs_no_extra(call: Call) -> None:
    shown = call("mcp", "--help")
    assert shown.returncode == 0
    assert "Needs the extra `mcp`." in " ".join(shown.stdout.split())


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--url", "https://api.stackadapt.com"), 2, "--url: this is another host. Found: 'https://api.stackadapt.com"),
        (("--url", "http://a.localhost:1"), 2, "Tools for assistants are for an emulator on this machine only."),
        (("--url", "http://127.0.0.1:1"), 1, "no emulator answers here"),
        (("--url", "localhost"), 2, "invalid URL"),
        (("--url", "http://127.0.0.1:1", "--workspace", "w.yaml"), 2, "Allowed: --url or --workspace."),
        (("--workspace", "missing.yaml"), 2, "missing.yaml: no such file"),
    ],
)
def test_an_emulator_that_is_none_is_refused(call: Call, arguments: tuple[str, ...], code: int, words: str) -> None:
    shown = call("mcp", *arguments)
    assert (shown.returncode, shown.stdout) == (code, "")
    assert words in shown.stderr


@pytest.mark.parametrize("token", [None, "control"])
def test_the_tools_are_about_the_emulator_at_the_url(
    call: Call, emulate: Callable[..., str], monkeypatch: pytest.MonkeyPatch, token: str | None
) -> None:
    url = emulate(control_token=token)
    served: list[dict[str, Any]] = []
    monkeypatch.setattr(
        "emulator.mcp_server.session.serve_stdio", lambda toolbox: served.append(toolbox.call("find_requests", {}))
    )
    shown = call("mcp", "--url", url, *(("--control-token", token) if token else ()))
    assert (shown.returncode, shown.stdout) == (0, ""), shown.stderr
    assert shown.stderr == f"serving tools for the emulator at {url}\n"
    assert served[0]["provenance"]["emulator"] == url


def test_the_server_of_this_folder_is_preferred(
    call: Call, emulate: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = emulate()
    monkeypatch.setattr(mcp, "running_server", lambda _: OwnServer(url=url, version="0", control_token=None))
    monkeypatch.setattr("emulator.mcp_server.session.serve_stdio", lambda toolbox: toolbox.call("fidelity_of", {}))
    assert call("mcp").stderr == f"serving tools for the emulator at {url}\n"


def test_an_emulator_that_has_ended_is_an_error_of_the_call(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = OwnServer(url="http://127.0.0.1:1", version="0", control_token=None)
    monkeypatch.setattr(mcp, "running_server", lambda _: gone)
    monkeypatch.setattr("emulator.mcp_server.session.serve_stdio", lambda toolbox: toolbox.call("fidelity_of", {}))
    shown = call("mcp")
    assert shown.returncode == 2
    assert "http://127.0.0.1:1: the emulator does not respond" in shown.stderr
    assert "Start it with: stackadapt-emulator serve" in shown.stderr
