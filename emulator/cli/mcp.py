"""`mcp`: tools for assistants, over standard input and output."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec
from pathlib import Path

import click
import httpx

from emulator.addresses import LOOPBACK_HOSTS, address, is_loopback, shown
from emulator.cli.own_server import NotRunning, OwnServer, running_server
from emulator.cli.remote import control_token_option
from emulator.cli.running import unreachable
from emulator.errors import InputError, UserMistake
from emulator.harness.client import Endpoint, sandbox_at
from emulator.mcp_server import Toolbox
from emulator.protocol import CONTROL_HEADER, DEFAULT_SANDBOX

_EPILOG = """\b
Examples:
  stackadapt-emulator mcp
  stackadapt-emulator mcp --url http://127.0.0.1:8585
  stackadapt-emulator mcp --workspace workspace.yaml
\b
An entry of a client's configuration:
  {"mcpServers": {"stackadapt-emulator": {"command": "stackadapt-emulator", "args": ["mcp"]}}}
\b
Exit codes: 0 when the client has ended, 1 no emulator at the URL, 2 bad usage or without the extra `mcp`.
"""
_SECONDS = 600


@click.command(epilog=_EPILOG)
@click.option("--url", help="URL of an emulator on this machine.")
@control_token_option
@click.option("--sandbox", default=DEFAULT_SANDBOX, show_default=True, help="Name of the sandbox.")
@click.option(
    "--workspace",
    "workspace_path",
    type=click.Path(path_type=Path),
    help="Start an emulator of its own with this workspace file (YAML or JSON).",
)
def command(url: str | None, sandbox: str, workspace_path: Path | None) -> None:
    """Serve tools of the Model Context Protocol, with which an assistant debugs a sync.

    They are about the emulator at --url, else the one last started from this folder, else one of its own, which ends
    with the client. A client starts this command and talks to it over standard input and output. Needs the extra `mcp`.
    """
    _check_installed()
    if url is not None and workspace_path is not None:
        raise UserMistake("a running emulator has its workspace already", where="mcp", allowed="--url or --workspace")
    # Imported once the extra is known to be there.
    from emulator.mcp_server.session import serve_stdio

    with _emulator(url, workspace_path) as (base, token):
        click.echo(f"serving tools for the emulator at {base}", err=True)
        serve_stdio(Toolbox(_opened(base, token, sandbox), sandbox=sandbox))


def _check_installed() -> None:
    """Raises UserMistake unless the SDK is installed. Does not import it."""
    if find_spec("mcp") is None:
        raise UserMistake(
            "the SDK of the Model Context Protocol is not installed",
            where="mcp",
            hint="Install it with: pip install 'stackadapt-emulator[mcp]'",
        )


@contextmanager
def _emulator(url: str | None, workspace_path: Path | None) -> Iterator[tuple[str, str | None]]:
    """The URL of the emulator, and its control token. Raises NotRunning, InputError, WorkspaceError."""
    if url is not None:
        _check_loopback(url, "--url")
    server = None if workspace_path is not None else _running(url)
    if server is not None:
        # One that is started for other machines, too, may have another address.
        _check_loopback(server.url, "mcp")
        yield server.url, server.control_token
        return
    # A server takes a while to import.
    from emulator.server.emulator import Emulator

    with Emulator(workspace_path) as own:
        yield own.start(), None


def _running(url: str | None) -> OwnServer | None:
    """The server at a URL, or the one last started from this folder, if any. Raises NotRunning for a URL."""
    try:
        return running_server(url)
    except NotRunning:
        if url is not None:
            raise
        return None


def _check_loopback(url: str, where: str) -> None:
    if not is_loopback(address(url).raw_host.decode("ascii")):
        hint = "Tools for assistants are for an emulator on this machine only."
        raise InputError(
            "this is another host", where=where, found=shown(address(url)), allowed=", ".join(LOOPBACK_HOSTS), hint=hint
        )


def _opened(base: str, token: str | None, sandbox: str) -> Callable[[], AbstractContextManager[Endpoint]]:
    """What opens the endpoint for one call. Its clients follow no redirect, and so stay on this machine."""

    @contextmanager
    def opened() -> Iterator[Endpoint]:
        headers = {CONTROL_HEADER: token} if token else {}
        try:
            with httpx.Client(base_url=base, headers=headers, trust_env=False, timeout=_SECONDS) as client:
                yield sandbox_at(client, sandbox)
        except httpx.HTTPError as error:
            raise unreachable(base, error) from None

    return opened
