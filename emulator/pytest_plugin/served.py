"""An emulator in another environment, started by a command for the time of a test session."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile
from typing import IO

import pytest

from emulator.errors import UserMistake, reason_of
from emulator.harness.remote_guard import Permission
from emulator.pytest_plugin.targets import Target, target_at

OPTION = "--stackadapt-emulator-command"
_SECONDS_TO_STOP = 10
_HINT = "Use a command that runs stackadapt-emulator, such as 'uvx stackadapt-emulator'."


@contextmanager
def served_by(command: str) -> Iterator[str]:
    """Runs `command serve` on a free port. Gives its URL. Raises UserMistake when it does not start."""
    try:
        arguments = [*shlex.split(command), "serve", "--port", "0", "--json"]
    except ValueError as error:
        raise UserMistake(f"the command cannot be read: {error}", where=OPTION, found=command, hint=_HINT) from None
    # A pipe that is not read would stop the server when it is full.
    with TemporaryFile("w+", encoding="utf-8") as log:
        try:
            process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=log, text=True)  # noqa: S603 - the user's
        except OSError as error:
            message = f"the command cannot be run: {reason_of(error)}"
            raise UserMistake(message, where=OPTION, found=command, hint=_HINT) from None
        with process:
            try:
                yield _url_of(process, command, log)
            finally:
                _stop(process)


@contextmanager
def target_of(command: str) -> Iterator[Target]:
    """What opens sandboxes of that emulator. A mistake fails the tests with its text alone."""
    try:
        with served_by(command) as url:
            yield target_at(url, permission=Permission())
    except UserMistake as mistake:
        pytest.fail(str(mistake), pytrace=False)


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(_SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        process.kill()


def _url_of(process: subprocess.Popen[str], command: str, log: IO[str]) -> str:
    """The URL in the line of JSON that `serve --json` prints when it is ready."""
    assert process.stdout is not None  # noqa: S101 - piped
    line = process.stdout.readline()
    try:
        url: str = json.loads(line)["url"]
    except (ValueError, KeyError, TypeError):
        _stop(process)
        log.seek(0)
        said = [*log.read().strip().splitlines(), line.strip()]
        message = f"the command did not start an emulator: {said[0]}".removesuffix(": ")
        raise UserMistake(message, where=OPTION, found=command, hint=_HINT) from None
    return url
