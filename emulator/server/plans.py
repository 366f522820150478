"""Runs both sides of a plan at once, each in a process of its own."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import timedelta
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

from emulator.errors import EmulatorDefect, EmulatorError, UserMistake
from emulator.harness.plan import CallsOf, Plan, compared, opened
from emulator.harness.why import Stop
from emulator.server.trial import open_trial
from emulator.workspace import Workspace
from emulator.workspace_diff import diff
from emulator.workspace_document import document_of

Report = Callable[[int], object]

_SECONDS_TO_END = 10
# What a process sends: how far it is, the answer to a request, or the error that it ended with.
_PROGRESS, _ANSWER, _ERROR = "progress", "answer", "error"


def plan(
    old: Workspace,
    new: Workspace,
    population: CallsOf,
    *,
    names: tuple[str, str] = ("the old workspace", "the new workspace"),
    further: timedelta = timedelta(days=1),
    report: Report = lambda _: None,
) -> Plan:
    """What a change from `old` to `new` does to a population; the clock moves `further` after the calls.

    `report` gets numbers of calls that were run, of both sides. Raises WorkspaceError.
    """
    old, new = (_apart(workspace) for workspace in (old, new))
    with ExitStack() as stack:
        sides = [stack.enter_context(closing(_Side(workspace, population, further))) for workspace in (old, new)]
        ends = [side.end(report) for side in sides]
        documents = [document_of(workspace) for workspace in (old, new)]
        return compared(
            ends[0],
            ends[1],
            (sides[0], sides[1]),
            population=population,
            names=names,
            difference=diff(documents[0], documents[1], names=names, secrets=False),
        )


def _apart(workspace: Workspace) -> Workspace:
    """The workspace without an endpoint: nothing leaves the machine."""
    destinations = tuple(replace(destination, endpoint=None) for destination in workspace.destinations)
    return replace(workspace, destinations=destinations)


class _Side:
    """A run in another process, with the methods of `Run` that a comparison asks."""

    def __init__(self, workspace: Workspace, population: CallsOf, further: timedelta) -> None:
        # Spawned: a fork would copy locks that other threads hold.
        context = get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_run, args=(theirs, workspace, population, further), daemon=True)
        self._process.start()
        theirs.close()

    def end(self, report: Report) -> Any:
        return self._ask("end", report=report)

    def stop(self, email: str, *, property_key: str | None = None) -> Stop | None:
        found: Stop | None = self._ask("stop", email, property_key=property_key)
        return found

    def failed_conditions(self, email: str, audience_name: str) -> Sequence[str] | None:
        found: Sequence[str] | None = self._ask("failed_conditions", email, audience_name)
        return found

    def close(self) -> None:
        self._pipe.close()
        self._process.terminate()
        self._process.join(_SECONDS_TO_END)

    def _ask(self, method: str, *arguments: Any, report: Report = lambda _: None, **options: Any) -> Any:
        try:
            self._pipe.send((method, arguments, options))
            while (received := self._pipe.recv())[0] == _PROGRESS:
                report(received[1])
        except (EOFError, OSError) as error:
            raise EmulatorDefect("the process of a run has ended", hint="It may have been out of memory.") from error
        if received[0] == _ERROR:
            raise received[1]
        return received[1]


def _run(pipe: Connection, workspace: Workspace, population: CallsOf, further: timedelta) -> None:
    # Ctrl-C in a terminal reaches every process; the parent handles it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with opened(workspace, population, open_trial) as run:
            run.play(population.make(), further=further, report=lambda done: pipe.send((_PROGRESS, done)))
            while True:
                method, arguments, options = pipe.recv()
                pipe.send((_ANSWER, getattr(run, method)(*arguments, **options)))
    except EOFError:
        # The parent has all that it wanted.
        return
    except EmulatorError as error:
        pipe.send((_ERROR, UserMistake(error.message, where=error.where, hint=error.hint)))
