"""`exec`: runs a command with its own emulator."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial, reduce
from operator import add
from pathlib import Path
from types import FrameType
from typing import Any

import click
import httpx

from emulator.cli.client_variables import LISTED, variables_of
from emulator.cli.coverage_option import CoverageOfEmulator, coverage_option
from emulator.cli.serve_options import (
    api_version_option,
    data_option,
    latency_option,
    replace_workspace_option,
    workspace_option,
)
from emulator.cli.snapshot_files import load, save
from emulator.cli.start_findings import given_workspace, strict_option
from emulator.complete_files import check_writable
from emulator.errors import EmulatorError, UserMistake
from emulator.harness.client import Control, Failures, failures_at, sandbox_at
from emulator.server.emulator import Emulator
from emulator.server.heartbeat import Heartbeat
from emulator.workspace_file import used

_EPILOG = f"""\b
Examples:
  stackadapt-emulator exec -- pytest
  stackadapt-emulator exec --workspace workspace.yaml --latency 4h -- npm test
  stackadapt-emulator exec --fail-on-refused -- npm test
  stackadapt-emulator exec --coverage coverage.json -- npm test
  stackadapt-emulator exec --import state.snapshot.gz --export-on-exit state.snapshot.gz -- npm test
  stackadapt-emulator exec --data ./state -- npm test
  stackadapt-emulator exec -- sh -c 'curl -s $STACKADAPT_EMULATOR_URL/_emulator/health'
\b
Environment variables of the command:
{LISTED}
\b
Exit codes: that of the command; 128 plus the signal's number when a signal ended it; 127 when it is not found; 126
when it cannot be run; 1 with --fail-on-refused when anything was refused; 2 bad usage, or when only the state or the
coverage cannot be written to its file.
"""
_NOT_FOUND, _NOT_RUNNABLE, _REFUSED = 127, 126, 1
_FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_MOST_FAILURES = 10
_SECONDS = 60


@click.command(epilog=_EPILOG, context_settings={"allow_interspersed_args": False})
@workspace_option
@replace_workspace_option
@data_option
@click.option(
    "--import",
    "import_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Begin with the state in this file, which `snapshot save` or --export-on-exit has written.",
)
@click.option(
    "--export-on-exit",
    "export_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the state to this file when the command has ended, whatever its exit code. Replaces an existing file.",
)
@latency_option
@api_version_option
@click.option(
    "--fail-on-refused",
    is_flag=True,
    help="Exit with code 1 when the command succeeds but anything was refused, rejected or failed.",
)
@coverage_option
@strict_option
@click.argument("command_line", metavar="-- COMMAND [ARGUMENT]...", nargs=-1, required=True, type=click.UNPROCESSED)
def command(
    workspace_path: Path | None,
    import_path: Path | None,
    export_path: Path | None,
    fail_on_refused: bool,
    coverage_path: Path | None,
    strict: bool,
    command_line: tuple[str, ...],
    **options: Any,
) -> None:
    """Run COMMAND with its own emulator on a free port, which stops when the command ends.

    When it ends, a table of what was refused, rejected or failed meanwhile is printed on standard error, by reason and
    person.
    """
    workspace = given_workspace(
        workspace_path, latency=options["latency"], api_version=options["api_version"], strict=strict
    )
    if export_path is not None:
        check_writable(export_path)
    coverage = None if coverage_path is None else CoverageOfEmulator(coverage_path)
    with used(workspace_path):
        opened = Emulator(workspace, **options)
    if opened.notice:
        click.echo(opened.notice, err=True)
    with (
        opened as emulator,
        httpx.Client(base_url=emulator.start(), trust_env=False, timeout=_SECONDS) as client,
    ):
        # Requested over the port, so that it responds before the command starts.
        endpoint = sandbox_at(client)
        if import_path is not None:
            load(client, import_path)
        if coverage is not None:
            coverage.begin(emulator)
        before = _failures(client)
        with Heartbeat(emulator.sandboxes.opened):
            code = _run(command_line, {**os.environ, **variables_of(endpoint)})
        refused = _print_failures(_failures(client).since(before), code)
        code = _REFUSED if refused and fail_on_refused and not code else code
        if coverage is not None:
            code = _written(partial(coverage.finish, emulator), code)
        if export_path is not None:
            code = _written(partial(_export, client, export_path), code)
    sys.exit(code)


def _export(client: httpx.Client, path: Path) -> None:
    sandbox_at(client)
    save(client, path)


def _written(write: Callable[[], None], code: int) -> int:
    """Writes a file; the exit code is then that of the command, or of the error when only this has failed."""
    try:
        write()
    except EmulatorError as error:
        click.echo(f"error: {error}", err=True)
        return code or error.exit_code
    return code


def _run(command_line: tuple[str, ...], environment: Mapping[str, str]) -> int:
    """The exit code of a command, as a shell reports it. Signals to this process are forwarded to the command."""
    # A terminal sends Ctrl-C to the whole foreground group, and the command must stay in it to read from there.
    at_terminal = sys.stdin is not None and sys.stdin.isatty()
    child: subprocess.Popen[bytes] | None = None
    early: list[int] = []

    def forward(number: int, _frame: FrameType | None) -> None:
        if child is None:
            early.append(number)
            return
        try:
            _forward(number, child, at_terminal=at_terminal)
        except PermissionError:
            hint = "It may run as another user."
            raise UserMistake("the command cannot be stopped", where=command_line[0], hint=hint) from None

    before = {number: signal.getsignal(number) for number in _FORWARDED}
    # A signal while the command starts would end this process and leave the command behind. What is ignored, as by
    # nohup, the command is to ignore, too.
    for number in (number for number, handler in before.items() if handler is not signal.SIG_IGN):
        signal.signal(number, forward)
    try:
        child = subprocess.Popen(  # noqa: S603 - running the given command is its purpose
            command_line, env=environment, process_group=None if at_terminal else 0
        )
        for number in _FORWARDED:
            signal.signal(number, forward)
        for missed in early:
            forward(missed, None)
        code = child.wait()
    except FileNotFoundError:
        click.echo(f"error: command not found: {command_line[0]}", err=True)
        return _NOT_FOUND
    except OSError as error:
        click.echo(f"error: cannot run {command_line[0]}: {error.strerror}", err=True)
        return _NOT_RUNNABLE
    finally:
        # From here on a signal is for this process: the command's process id may be reused.
        for number, handler in before.items():
            signal.signal(number, handler)
    return code if code >= 0 else 128 - code


def _forward(number: int, child: subprocess.Popen[bytes], *, at_terminal: bool) -> None:
    with suppress(ProcessLookupError):
        if not at_terminal:
            os.killpg(child.pid, number)
        elif number != signal.SIGINT:
            child.send_signal(number)


def _failures(client: httpx.Client) -> Failures:
    """What failed in all sandboxes that the command left."""
    listed = Control(client).get("sandboxes")["sandboxes"]
    # One that cannot be read says why instead.
    names = [each["name"] for each in listed if "error" not in each]
    return reduce(add, (failures_at(sandbox_at(client, name)) for name in names))


def _print_failures(failures: Failures, code: int) -> bool:
    """Prints what was refused, rejected or failed; whether there was anything."""
    if failures:
        ended = f"the command exited with code {code}. Failures" if code else "refused, rejected or failed"
        click.echo(f"stackadapt-emulator: {ended}:", err=True)
        for line in failures.table(most=_MOST_FAILURES):
            click.echo(f"  {line}", err=True)
    return bool(failures)
