"""`exec`: a command with an emulator of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import FrameType

import click
import httpx

from emulator.harness.client import Endpoint, failures_at, sandbox_at
from emulator.server.emulator import Emulator
from emulator.server.heartbeat import Heartbeat
from emulator.workspace import load_workspace
from emulator.workspace_file import used

_EPILOG = """\b
Examples:
  stackadapt-emulator exec -- pytest
  stackadapt-emulator exec --workspace workspace.yaml --latency 4h -- npm test
  stackadapt-emulator exec -- sh -c 'curl -s $STACKADAPT_EMULATOR_URL/_emulator/health'
\b
The command sees:
  STACKADAPT_GRAPHQL_URL     where StackAdapt's GraphQL answers
  STACKADAPT_TOKEN           a token that may read and write
  STACKADAPT_ADVERTISER_ID   the workspace's first advertiser
  SEGMENT_HOST               the host for a Segment SDK
  SEGMENT_WRITE_KEY          the write key of the workspace's first source
  STACKADAPT_EMULATOR_URL    the emulator, for its control API and for commands such as trigger
\b
The exit code is the command's: 128 and the number for one that a signal ended, 127 for one that is not there, 126 for
one that cannot be run.
"""
_NOT_FOUND, _NOT_RUNNABLE = 127, 126
_PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_MOST_TROUBLES = 10
_SECONDS = 60


@click.command(epilog=_EPILOG, context_settings={"allow_interspersed_args": False})
@click.option("--workspace", "workspace_path", type=click.Path(path_type=Path), help="Workspace file (YAML or JSON).")
@click.option("--latency", help="Time until profiles are visible: instant, realistic, or a duration such as 4h.")
@click.option("--api-version", help="API version of StackAdapt: 2026-06 or 2024-12.")
@click.argument("command_line", metavar="-- COMMAND [ARGUMENT]...", nargs=-1, required=True, type=click.UNPROCESSED)
def command(
    workspace_path: Path | None,
    latency: str | None,
    api_version: str | None,
    command_line: tuple[str, ...],
) -> None:
    """Run COMMAND with an emulator of its own, on a free port, which stops when the command has ended.

    When the command fails, what the emulator refused is told on standard error.
    """
    workspace = load_workspace(workspace_path).with_options(latency=latency, api_version=api_version)
    with used(workspace_path):
        opened = Emulator(workspace)
    with (
        opened as emulator,
        httpx.Client(base_url=emulator.start(), trust_env=False, timeout=_SECONDS) as client,
    ):
        # Asked over the port: whoever gets its address finds it answering.
        endpoint = sandbox_at(client)
        with Heartbeat(emulator.sandboxes.opened):
            code = _run(command_line, {**os.environ, **_variables(endpoint)})
        if code:
            _tell_troubles(endpoint, code)
    sys.exit(code)


def _variables(endpoint: Endpoint) -> dict[str, str]:
    return {
        "STACKADAPT_GRAPHQL_URL": f"{endpoint.url}{endpoint.graphql_path}",
        "STACKADAPT_TOKEN": endpoint.token,
        "STACKADAPT_ADVERTISER_ID": endpoint.advertiser_id,
        "SEGMENT_HOST": endpoint.url,
        # Empty where no source is: a key from outside would lead elsewhere.
        "SEGMENT_WRITE_KEY": endpoint.write_key or "",
        "STACKADAPT_EMULATOR_URL": endpoint.url,
    }


def _run(command_line: tuple[str, ...], environment: Mapping[str, str]) -> int:
    """The exit code of a command, as a shell tells it. Signals to this process are passed on to the command."""
    # A terminal sends Ctrl-C to the whole foreground group, and the command must stay in it to read from there.
    at_terminal = sys.stdin is not None and sys.stdin.isatty()
    try:
        child = subprocess.Popen(  # noqa: S603 - running what the caller names is what this is for
            command_line, env=environment, process_group=None if at_terminal else 0
        )
    except FileNotFoundError:
        click.echo(f"error: there is no such command: {command_line[0]}", err=True)
        return _NOT_FOUND
    except OSError as error:
        click.echo(f"error: this command cannot be run: {command_line[0]}: {error.strerror}", err=True)
        return _NOT_RUNNABLE

    def pass_on(number: int, _frame: FrameType | None) -> None:
        with suppress(ProcessLookupError):
            if not at_terminal:
                os.killpg(child.pid, number)
            elif number != signal.SIGINT:
                child.send_signal(number)

    before = {number: signal.signal(number, pass_on) for number in _PASSED_ON}
    try:
        code = child.wait()
    finally:
        # From here on a signal is for this process: the command's number may be another's soon.
        for number, handler in before.items():
            signal.signal(number, handler)
    return code if code >= 0 else 128 - code


def _tell_troubles(endpoint: Endpoint, code: int) -> None:
    told = failures_at(endpoint)
    if told:
        click.echo(f"stackadapt-emulator: the command ended with exit code {code}. What was refused:", err=True)
        for line in told.counted(most=_MOST_TROUBLES):
            click.echo(f"  {line}", err=True)
