"""`exec`: runs a command with its own emulator."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from functools import reduce
from operator import add
from pathlib import Path
from types import FrameType

import click
import httpx

from emulator.cli.client_variables import LISTED, variables_of
from emulator.cli.start_findings import report_at_start, strict_option
from emulator.harness.client import Control, Failures, failures_at, sandbox_at
from emulator.server.emulator import Emulator
from emulator.server.heartbeat import Heartbeat
from emulator.workspace import load_workspace
from emulator.workspace_file import used

_EPILOG = f"""\b
Examples:
  stackadapt-emulator exec -- pytest
  stackadapt-emulator exec --workspace workspace.yaml --latency 4h -- npm test
  stackadapt-emulator exec --fail-on-refused -- npm test
  stackadapt-emulator exec -- sh -c 'curl -s $STACKADAPT_EMULATOR_URL/_emulator/health'
\b
Environment variables of the command:
{LISTED}
\b
Exit codes: that of the command; 128 plus the signal's number when a signal ended it; 127 when it is not found; 126
when it cannot be run; 1 with --fail-on-refused when anything was refused.
"""
_NOT_FOUND, _NOT_RUNNABLE, _REFUSED = 127, 126, 1
_FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_MOST_FAILURES = 10
_SECONDS = 60


@click.command(epilog=_EPILOG, context_settings={"allow_interspersed_args": False})
@click.option("--workspace", "workspace_path", type=click.Path(path_type=Path), help="Workspace file (YAML or JSON).")
@click.option("--latency", help="Time until profiles are visible: instant, realistic, or a duration such as 4h.")
@click.option("--api-version", help="API version of StackAdapt: 2026-06, 2025-05 or 2024-12.")
@click.option(
    "--fail-on-refused",
    is_flag=True,
    help="Exit with code 1 when the command succeeds but anything was refused, rejected or failed.",
)
@strict_option
@click.argument("command_line", metavar="-- COMMAND [ARGUMENT]...", nargs=-1, required=True, type=click.UNPROCESSED)
def command(
    workspace_path: Path | None,
    latency: str | None,
    api_version: str | None,
    fail_on_refused: bool,
    strict: bool,
    command_line: tuple[str, ...],
) -> None:
    """Run COMMAND with its own emulator on a free port, which stops when the command ends.

    When it ends, a table of what was refused, rejected or failed is printed on standard error, by reason and person.
    """
    workspace = load_workspace(workspace_path).with_options(latency=latency, api_version=api_version)
    report_at_start(workspace, workspace_path, strict=strict)
    with used(workspace_path):
        opened = Emulator(workspace)
    with (
        opened as emulator,
        httpx.Client(base_url=emulator.start(), trust_env=False, timeout=_SECONDS) as client,
    ):
        # Requested over the port, so that it responds before the command starts.
        endpoint = sandbox_at(client)
        with Heartbeat(emulator.sandboxes.opened):
            code = _run(command_line, {**os.environ, **variables_of(endpoint)})
        refused = _print_failures(_failures(client), code)
    sys.exit(_REFUSED if refused and fail_on_refused and not code else code)


def _run(command_line: tuple[str, ...], environment: Mapping[str, str]) -> int:
    """The exit code of a command, as a shell reports it. Signals to this process are forwarded to the command."""
    # A terminal sends Ctrl-C to the whole foreground group, and the command must stay in it to read from there.
    at_terminal = sys.stdin is not None and sys.stdin.isatty()
    try:
        child = subprocess.Popen(  # noqa: S603 - running the given command is its purpose
            command_line, env=environment, process_group=None if at_terminal else 0
        )
    except FileNotFoundError:
        click.echo(f"error: command not found: {command_line[0]}", err=True)
        return _NOT_FOUND
    except OSError as error:
        click.echo(f"error: cannot run {command_line[0]}: {error.strerror}", err=True)
        return _NOT_RUNNABLE

    def forward(number: int, _frame: FrameType | None) -> None:
        with suppress(ProcessLookupError):
            if not at_terminal:
                os.killpg(child.pid, number)
            elif number != signal.SIGINT:
                child.send_signal(number)

    before = {number: signal.signal(number, forward) for number in _FORWARDED}
    try:
        code = child.wait()
    finally:
        # From here on a signal is for this process: the command's process id may be reused.
        for number, handler in before.items():
            signal.signal(number, handler)
    return code if code >= 0 else 128 - code


def _failures(client: httpx.Client) -> Failures:
    """What failed in all sandboxes that the command left."""
    names = [each["name"] for each in Control(client).get("sandboxes")["sandboxes"]]
    return reduce(add, (failures_at(sandbox_at(client, name)) for name in names))


def _print_failures(failures: Failures, code: int) -> bool:
    """Prints what was refused, rejected or failed; whether there was anything."""
    if failures:
        ended = f"the command exited with code {code}. Failures" if code else "refused, rejected or failed"
        click.echo(f"stackadapt-emulator: {ended}:", err=True)
        for line in failures.table(most=_MOST_FAILURES):
            click.echo(f"  {line}", err=True)
    return bool(failures)
