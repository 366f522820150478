"""When the batches of a destination instance are sent, and who waits for that."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Condition, Lock, Thread

from emulator.errors import EmulatorError
from emulator.patience import begin_wait
from emulator.store import Store
from emulator.workspace import Destination

_LOG = logging.getLogger(__name__)


class Sender:
    """Sends what is due for one destination instance, one pass at a time.

    `send_due` is one pass; it must end early once `ending` is true. Without an endpoint the caller's thread runs it: a
    request within the process is quick. With one, a thread of its own does, so that a slow endpoint keeps neither
    requests nor other destinations waiting.

    Processes that share a store wait for each other's passes: a person's events must arrive in order, and what is due
    is sent when a request is answered. Taking first what no other process has (SKIP LOCKED) would save no time:
    endpoints have their threads anyway, and requests within the processes wait for each other in StackAdapt's tables.
    """

    def __init__(self, store: Store, destination: Destination, send_due: Callable[[Sender], None]) -> None:
        self._store = store
        self._destination = destination
        self._send_due = send_due
        self._turn = Lock()
        self._changed = Condition()
        self._asked = self._started = self._finished = 0
        self._error: Exception | None = None
        self._thread: Thread | None = None
        self._ends = 0

    @property
    def ending(self) -> bool:
        """Whether no further batch should be sent in the current pass."""
        return self._ends > 0

    @property
    def busy(self) -> bool:
        """Whether a pass is being made, or paused."""
        return self._turn.locked()

    def ask(self) -> int:
        """Sends what is due, or has it sent; returns the number of the pass that will have sent it."""
        if not self._destination.endpoint:
            self._run_pass()
            return 0
        with self._changed:
            # A pass that has started may have overlooked what is due by now.
            self._asked = self._started + 1
            if self._thread is None:
                self._thread = Thread(target=self._run_passes, name="delivery", daemon=True)
                self._thread.start()
            return self._asked

    def wait(self, number: int, seconds: float | None) -> None:
        """Waits for the end of a pass, at most so long. Raises its error."""
        with self._changed:
            if self._finished < number:
                begin_wait()
            if self._changed.wait_for(lambda: self._finished >= number, seconds) and self._error:
                raise self._error

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Nothing is being sent within the block; waits for the batches that are being sent."""
        with self._changed:
            self._ends += 1
        try:
            with self._turn, self._alone():
                yield
        finally:
            with self._changed:
                self._ends -= 1

    def end(self) -> None:
        """Begins no further batch, ever."""
        with self._changed:
            self._ends += 1

    def join(self, seconds: float) -> None:
        """Waits for the batches that are being sent, at most so long."""
        with self._changed:
            self._changed.wait_for(lambda: self._thread is None, seconds)

    def _alone(self) -> AbstractContextManager[None]:
        return self._store.alone(f"delivery/{self._destination.name}")

    def _run_pass(self) -> None:
        with self._turn, self._alone():
            self._send_due(self)

    def _run_passes(self) -> None:
        while True:
            with self._changed:
                if self._finished >= self._asked:
                    self._thread = None
                    self._changed.notify_all()
                    return
                self._started += 1
            error = self._error_of_pass()
            with self._changed:
                self._finished, self._error = self._started, error
                self._changed.notify_all()

    def _error_of_pass(self) -> Exception | None:
        try:
            self._run_pass()
        except EmulatorError as error:
            # Such as a sandbox that was deleted meanwhile.
            return error
        except Exception as error:  # noqa: BLE001 - raised where the pass is waited for
            _LOG.exception("delivery to %s failed", self._destination.name)
            return error
        return None
