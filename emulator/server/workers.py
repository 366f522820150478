"""Several processes that serve one socket: started together, stopped together; when one ends early, all are stopped."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import Any, NoReturn

from emulator.errors import EmulatorDefect, UserMistake
from emulator.server.signals import STOPPING

_LOG = logging.getLogger(__name__)
_FAILED = 3
# A terminal's Ctrl-C reaches every process: only the parent handles it, and stops the workers.
STOPPED_BY = (signal.SIGTERM,)


def run_workers(number: int, work: Callable[[], None]) -> None:
    """Runs `work` in `number` processes until SIGTERM or Ctrl-C, which each of them receives as SIGTERM.

    To be called before any thread is started. Raises EmulatorDefect when a process ends early, UserMistake on systems
    that cannot fork.
    """
    if not hasattr(os, "fork"):
        raise UserMistake("this system cannot fork processes", where="--workers", allowed="1")
    # Handled, since a script's shell starts a job in the background with SIGINT ignored. Blocked until they are waited
    # for, since one that arrived while processes are started or ended would leave some of them behind.
    for each in _awaited():
        signal.signal(each, _stop)
    signal.pthread_sigmask(signal.SIG_BLOCK, _awaited())
    parent_lives, hold = os.pipe()
    workers: set[int] = set()
    try:
        for _ in range(number):
            workers.add(_fork(work, parent_lives, hold))
        ended = 0
        # One that is suspended or goes on is reported as well.
        while not ended:
            if signal.sigwait(_awaited()) in STOPPING:
                return
            ended, status = os.waitpid(-1, os.WNOHANG)
        workers.discard(ended)
        raise EmulatorDefect(
            "a worker ended unexpectedly, so all were stopped",
            found=_exit_of(status),
            hint="Acknowledged data is in the database; start the command again.",
        )
    finally:
        for worker in workers:
            os.kill(worker, signal.SIGTERM)
        for worker in workers:
            os.waitpid(worker, 0)


def _awaited() -> tuple[signal.Signals, ...]:
    # Not a constant: other systems have no such signal.
    return (*STOPPING, signal.SIGCHLD)


def _fork(work: Callable[[], None], parent_lives: int, hold: int) -> int:
    worker = os.fork()
    if worker == 0:
        os.close(hold)
        _work(work, parent_lives)
    return worker


def _work(work: Callable[[], None], parent_lives: int) -> NoReturn:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    code = _FAILED
    try:
        # A thread that is started now leaves them to this one.
        Thread(target=_end_with_parent, args=(parent_lives,), daemon=True).start()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _awaited())
        work()
        code = 0
    except SystemExit:
        code = 0
    except Exception as error:  # noqa: BLE001 - no caller could report it
        _LOG.error("a worker failed: %s", error)
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(code)


def _end_with_parent(parent_lives: int) -> None:
    """The parent holds the pipe's other end: reading returns when the parent ends, for whatever reason."""
    os.read(parent_lives, 1)
    os.kill(os.getpid(), signal.SIGTERM)


def _exit_of(status: int) -> str:
    if os.WIFSIGNALED(status):
        return signal.Signals(os.WTERMSIG(status)).name
    return f"exit code {os.waitstatus_to_exitcode(status)}"


def _stop(_signal: int, _frame: Any) -> None:
    raise SystemExit(0)
