"""`serve`: runs the emulator on a port."""

from __future__ import annotations

import gc
import signal
import socket
import sys
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, closing, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import click

from emulator.addresses import is_loopback
from emulator.cli.serve_options import json_option, serve_options
from emulator.cli.start_findings import given_workspace
from emulator.cli.welcome import connection_of, shown
from emulator.errors import UserMistake
from emulator.ids import secret
from emulator.server.emulator import Emulator
from emulator.server.heartbeat import Heartbeat
from emulator.server.host_names import open_to
from emulator.server.listener import bind, raise_file_limit, url_of
from emulator.server.logs import LogWriter
from emulator.server.signals import STOPPING, StopSignals, stop_at_end_of_input
from emulator.server.watch import content_of, watch_workspace
from emulator.server.workers import STOPPED_BY, run_workers
from emulator.workspace_file import used

_EPILOG = """\b
Examples:
  stackadapt-emulator serve
  stackadapt-emulator serve --port 0 --json
  stackadapt-emulator serve --workspace workspace.yaml --data ./state --latency 4h
  stackadapt-emulator serve --workspace workspace.yaml --watch
  stackadapt-emulator serve --database postgresql+psycopg://me@localhost/emulator --workers 4
\b
Exit codes: 0 stopped by a signal, 2 bad usage or a bad workspace. Every option has an environment variable, such as
STACKADAPT_EMULATOR_SERVE_PORT.
"""
_SWITCH_SECONDS = 0.001
_OPEN = "warning: listening on a non-loopback address; the tokens and write keys of the default workspace are public"


@click.command(epilog=_EPILOG)
@serve_options
@click.option(
    "--until-stdin-closes",
    is_flag=True,
    help="Stop at the end of standard input: a server at a pipe ends with the program that started it.",
)
@json_option
def command(
    host: str,
    port: int,
    workspace_path: Path | None,
    watch: bool,
    workers: int,
    control_token: str | None,
    log_format: str,
    log_pii: bool,
    until_stdin_closes: bool,
    strict: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Run the emulator as a server until Ctrl-C.

    What lint finds in the workspace file is printed on standard error: errors in full, warnings as a count.
    """
    _check_workers(workers, database=options["database"], until_stdin_closes=until_stdin_closes)
    if until_stdin_closes:
        stop_at_end_of_input()
    watched = _watched(workspace_path, workers) if watch else None
    workspace = given_workspace(
        workspace_path, latency=options["latency"], api_version=options["api_version"], strict=strict
    )

    def open_emulator() -> Emulator:
        with used(workspace_path):
            emulator = Emulator(workspace, control_token=control_token, **options)
        open_to(emulator.app, host, listening)
        emulator.report_to(LogWriter(log_format, show_pii=log_pii))
        return emulator

    with closing(bind(host, port)) as listening:
        generated = None
        # By the address that was bound: a name may mean any.
        if control_token is None and not is_loopback(listening.getsockname()[0]):
            control_token = generated = secret("control-")
        announce = partial(_announce, listening, generated, as_json)
        if workers == 1:
            _serve(open_emulator(), listening, announce, watched)
            return
        # Opened once before the workers: creates the tables, and reports an unusable database here.
        with open_emulator() as first:
            announce(first)
        # The workers use what is stored now.
        options["replace_workspace"] = False
        run_workers(workers, lambda: _serve(open_emulator(), listening, stopped_by=STOPPED_BY))


def _announce(listening: socket.socket, generated: str | None, as_json: bool, emulator: Emulator) -> None:
    """Prints the addresses and secrets, and what the user should know about them.

    Of control tokens, the one that was `generated`: one that was given may be in no log.
    """
    for line in filter(None, (warning_about(listening.getsockname()[0]), emulator.notice)):
        click.echo(line, err=True)
    connection = connection_of(url_of(listening), emulator.sandbox.workspace, generated)
    click.echo(shown(connection, as_json=as_json, stop="Ctrl-C"))


def warning_about(address: str) -> str | None:
    """The warning to print for an address that other machines can reach; None for a loopback address."""
    return None if is_loopback(address) else _OPEN


def _spare_the_collector() -> None:
    """Keeps the garbage collector off what lives as long as the server, and lets it run less often.

    A full collection took 70 to 90 ms, every 76 requests. One of 50,000 young objects takes up to 80 ms too, and one of
    5,000 less than 10; documents of 1,000 profiles take as long with either. What survives four of
    them is collected once more: after twenty, that took up to 100 ms.
    """
    gc.freeze()
    gc.set_threshold(5_000, 4, 200)


def _watched(path: Path | None, workers: int) -> tuple[Path, str | None]:
    """The file to watch, and its text before it is used. Raises UserMistake."""
    if path is None:
        raise UserMistake("there is no file to watch", where="--watch", hint="Add --workspace FILE.")
    if workers > 1:
        raise UserMistake(
            "--watch needs one process",
            where="--workers",
            found=workers,
            allowed="1",
            hint="Apply changes with: stackadapt-emulator workspace apply FILE",
        )
    return path, content_of(path)


def _check_workers(workers: int, *, database: str | None, until_stdin_closes: bool) -> None:
    """Raises UserMistake for several processes with options that allow only one."""
    if workers > 1 and database is None:
        raise UserMistake("several workers need --database", where="--workers", found=workers, allowed="1")
    if workers > 1 and until_stdin_closes:
        raise UserMistake("--until-stdin-closes needs one process", where="--workers", found=workers, allowed="1")


def _serve(
    emulator: Emulator,
    listening: socket.socket,
    ready: Callable[[Emulator], None] = lambda _: None,
    watched: tuple[Path, str | None] | None = None,
    stopped_by: Iterable[signal.Signals] = STOPPING,
) -> None:
    raise_file_limit()
    _spare_the_collector()
    # The event loop gets the interpreter back from a thread that computes after this time. By default it is five times
    # as long, for each of the steps that an answer on a new connection takes.
    sys.setswitchinterval(_SWITCH_SECONDS)
    with StopSignals(stopped_by) as signals, emulator:
        watching: AbstractContextManager[None] = nullcontext()
        if watched is not None:
            watching = watch_workspace(emulator, watched[0], _say, started_with=watched[1])
        ready(emulator)
        with Heartbeat(emulator.sandboxes.opened), watching:
            emulator.listener(listening).run(signals)


def _say(line: str) -> None:
    click.echo(line, err=True)
