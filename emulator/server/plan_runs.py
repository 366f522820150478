"""Runs both sides of a plan: many people at once, each side in a process of its own; few in this process."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnContext
from typing import Any, Final, TypeAlias

from emulator.errors import EmulatorDefect, EmulatorError, UserMistake
from emulator.harness.plan import CallsOf, EndState, Plan, Run, Sent, compared, opened
from emulator.harness.why import Stop
from emulator.server.trial import open_trial
from emulator.spawning import spawning
from emulator.workspace import Workspace
from emulator.workspace_diff import diff
from emulator.workspace_document import document_of

NAMES: Final = ("the old workspace", "the new workspace")
DAY: Final = timedelta(days=1)

Report = Callable[[int], object]

_OpenSide: TypeAlias = "Callable[..., AbstractContextManager[Run | _Side]]"

_SECONDS_TO_END = 10
# Two processes take as long to start as this many calls take to run.
_FEW_CALLS = 2000
# What a process sends: how far it is, the answer to a request, or the error that it ended with.
_PROGRESS, _ANSWER, _ERROR = "progress", "answer", "error"


def plan(
    old: Workspace,
    new: Workspace,
    population: CallsOf,
    *,
    names: tuple[str, str] = NAMES,
    further: timedelta = DAY,
    report: Report = lambda _: None,
) -> Plan:
    """What a change from `old` to `new` does to a population; the clock moves `further` after the calls.

    Few people are run in this process, and all where no other can be started. `report` gets numbers of calls that were
    run, of both sides. Raises WorkspaceError.
    """
    pair = _apart(old), _apart(new)
    context = spawning() if population.calls > _FEW_CALLS else None
    open_side: _OpenSide = _here if context is None else partial(_elsewhere, context)
    with ExitStack() as stack:
        one, other = [stack.enter_context(open_side(each, population, further, report)) for each in pair]
        ends = one.end(), other.end()
        return compared(
            *ends, (one, other), population=population, names=names, difference=_difference((old, new), names)
        )


def _difference(pair: tuple[Workspace, Workspace], names: tuple[str, str]) -> Sequence[str]:
    return diff(document_of(pair[0]), document_of(pair[1]), names=names, secrets=False)


def _apart(workspace: Workspace) -> Workspace:
    """The workspace without endpoints and faults: nothing leaves the machine, and no pause of a retry is random."""
    destinations = tuple(replace(destination, endpoint=None) for destination in workspace.destinations)
    return replace(workspace, destinations=destinations, faults=())


@contextmanager
def _here(workspace: Workspace, population: CallsOf, further: timedelta, report: Report) -> Iterator[Run]:
    with opened(workspace, population, open_trial) as run:
        run.play(population, further=further, report=report)
        yield run


def _elsewhere(
    context: SpawnContext, workspace: Workspace, population: CallsOf, further: timedelta, report: Report
) -> AbstractContextManager[_Side]:
    return closing(_Side(context, workspace, population, further, report))


class _Side:
    """A run in another process, with the methods of `Run` that a comparison asks."""

    def __init__(
        self, context: SpawnContext, workspace: Workspace, population: CallsOf, further: timedelta, report: Report
    ) -> None:
        self._report = report
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_run, args=(theirs, workspace, population, further), daemon=True)
        self._process.start()
        theirs.close()

    def end(self) -> EndState:
        found: EndState = self._ask("end")
        return found

    def stop(self, email: str | None, *, user_id: str | None = None, property_key: str | None = None) -> Stop | None:
        found: Stop | None = self._ask("stop", email, user_id=user_id, property_key=property_key)
        return found

    def not_in_audience(self, email: str, audience_name: str) -> Stop:
        found: Stop = self._ask("not_in_audience", email, audience_name)
        return found

    def sent(self, email: str) -> Sent:
        found: Sent = self._ask("sent", email)
        return found

    def close(self) -> None:
        self._pipe.close()
        self._process.terminate()
        self._process.join(_SECONDS_TO_END)

    def _ask(self, method: str, *arguments: Any, **options: Any) -> Any:
        try:
            self._pipe.send((method, arguments, options))
            while (received := self._pipe.recv())[0] == _PROGRESS:
                self._report(received[1])
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
            run.play(population, further=further, report=lambda done: pipe.send((_PROGRESS, done)))
            while True:
                method, arguments, options = pipe.recv()
                pipe.send((_ANSWER, getattr(run, method)(*arguments, **options)))
    except (EOFError, ConnectionError):
        # The parent has all that it wanted, or was ended by a signal.
        return
    except EmulatorError as error:
        pipe.send((_ERROR, UserMistake(error.message, where=error.where, hint=error.hint)))
