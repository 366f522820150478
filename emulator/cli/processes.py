"""Starts and stops the process of a server in the background."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress

import click

from emulator.cli.background import CONTROL_TOKEN_OPTION, Place, Record
from emulator.cli.own_server import health_at
from emulator.clock import polls
from emulator.errors import ContractViolation, UserMistake
from emulator.text_files import read_text

_SECRET_VARIABLE = "STACKADAPT_EMULATOR_SERVE_CONTROL_TOKEN"  # noqa: S105 - the name of a variable
_START_SECONDS = 60.0
_STOP_SECONDS = 60.0
_POLL_SECONDS = 0.05


class _Detached(subprocess.Popen[bytes]):
    """A process that goes on without this one."""

    def __del__(self) -> None:
        """Without the warning of the base class about a process that is still running."""


def started(place: Place, options: Mapping[str, str | bool]) -> tuple[Record, bool]:
    """The server of this place, ready, and whether it was started now. What it prints on standard error is printed.

    Raises UserMistake when one with other options runs; SystemExit with the code of a server that fails to start, of
    which nothing is left.
    """
    # The server has this environment, and does not print a token that it was given. An empty variable is none to it.
    if given := os.environ.get(_SECRET_VARIABLE):
        options = {CONTROL_TOKEN_OPTION: given, **options}
    for _ in polls(_START_SECONDS, every=_POLL_SECONDS):
        lock = place.claim(anew=True)
        if lock is not None:
            try:
                return _launched(place, lock, options), True
            except BaseException:
                place.clear(keep_log=False)
                raise
            finally:
                os.close(lock)
        record = place.record()
        if record is not None and record.connection is not None:
            _check_same(place, record, options)
            return record, False
    raise ContractViolation("another start of a server in this folder does not end", where=str(place.folder))


def _check_same(place: Place, record: Record, options: Mapping[str, str | bool]) -> None:
    if dict(record.options) == dict(options):
        return
    raise UserMistake(
        "a server with other options runs already, started from this folder",
        where=str(place.folder),
        found=" ".join(_shown(options)) or "no options",
        allowed=" ".join(_shown(record.options)) or "no options",
        hint="Stop it first with: stackadapt-emulator stop",
    )


def _shown(options: Mapping[str, str | bool]) -> list[str]:
    return _arguments({name: "***" if name == CONTROL_TOKEN_OPTION else value for name, value in options.items()})


def _arguments(options: Mapping[str, str | bool]) -> list[str]:
    return [name if value is True else f"{name}={value}" for name, value in options.items()]


def _launched(place: Place, lock: int, options: Mapping[str, str | bool]) -> Record:
    """A new server. One that does not become ready is ended."""
    process = _spawned(place, lock, options)
    try:
        place.write(Record(pid=process.pid, options=options))
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        with process.stdout as output:
            line = output.readline()
        record = Record(pid=process.pid, options=options, connection=json.loads(line) if line else None)
        if not _answers(record, process):
            raise SystemExit(_code_of(process))
        place.write(record)
    except BaseException:
        process.terminate()
        process.wait()
        _print_log(place)
        raise
    _print_log(place)
    return record


def _spawned(place: Place, lock: int, options: Mapping[str, str | bool]) -> _Detached:
    token = options.get(CONTROL_TOKEN_OPTION)
    arguments = _arguments({name: value for name, value in options.items() if name != CONTROL_TOKEN_OPTION})
    log = place.open_log()
    try:
        return _Detached(
            # -P: the current folder may have a package of our name.
            [sys.executable, "-P", "-m", "emulator", "serve", "--json", *arguments],
            env={**os.environ, **({_SECRET_VARIABLE: str(token)} if token is not None else {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            # Neither the end of a terminal nor its Ctrl-C reaches another session.
            start_new_session=True,
            pass_fds=(lock,),
        )
    finally:
        os.close(log)


def _answers(record: Record, process: _Detached) -> bool:
    """Waits until the server answers; False when it ends instead."""
    if record.connection is None:
        return False
    for _ in polls(_START_SECONDS, every=_POLL_SECONDS):
        if health_at(record.connection["url"]) is not None:
            return True
        if process.poll() is not None:
            return False
    return False


def _code_of(process: _Detached) -> int:
    """The exit code of a server that does not run, as a shell has it; 1 for one that was stopped meanwhile."""
    process.terminate()
    code = process.wait()
    return code if code > 0 else 128 - code if code else 1


def _print_log(place: Place) -> None:
    click.echo(read_text(place.log), nl=False, err=True)


def stopped(place: Place) -> Record | None:
    """The server that ran at this place, once it has ended; None when none ran. Its log is kept.

    One that is being started is waited for, and so is another stop. Raises ContractViolation for one that does not end.
    """
    if not place.in_use():
        return None
    record = None
    for _ in polls(_STOP_SECONDS, every=_POLL_SECONDS):
        lock = place.claim()
        if lock is not None:
            # Another stop may have removed what was known about it.
            record = record or place.record()
            place.clear(keep_log=True)
            os.close(lock)
            return record
        found = place.record()
        if found is not None and (record is None or found.pid != record.pid):
            record = found
            with suppress(ProcessLookupError):
                os.kill(record.pid, signal.SIGTERM)
    if record is None:
        raise ContractViolation("a server is being started", where=str(place.folder), hint="Try again.")
    raise ContractViolation(
        f"the server does not stop within {_STOP_SECONDS:.0f} s",
        where=f"process {record.pid}",
        hint=f"Its log is {place.log}.",
    )
