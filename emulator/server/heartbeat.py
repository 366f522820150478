"""Real time: processes what becomes due on a running clock, without a request."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from types import TracebackType
from typing import Self

from emulator.errors import EmulatorError
from emulator.patience import patience
from emulator.protocol import DEFAULT_SANDBOX
from emulator.server.services import SandboxServices
from emulator.store_failures import StoreFailure

PERIOD_SECONDS = 1.0
# A request to a slow endpoint is not awaited longer; it is sent again after the next start.
PATIENCE_SECONDS = 5.0
_LOG = logging.getLogger(__name__)


class Heartbeat:
    """Processes what is due in the open services once per period, until it is closed."""

    def __init__(
        self, opened: Callable[[], Iterable[SandboxServices]], *, period_seconds: float = PERIOD_SECONDS
    ) -> None:
        self._opened = opened
        self._period_seconds = period_seconds
        self._stopping = Event()
        self._failing: set[str] = set()
        self._thread = Thread(target=self._beat, name="stackadapt-emulator-heartbeat", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join(PATIENCE_SECONDS)

    def _beat(self) -> None:
        while not self._stopping.wait(self._period_seconds):
            opened: list[SandboxServices] = []
            with self._going_on(DEFAULT_SANDBOX):
                opened += self._opened()
            for services in opened:
                with self._going_on(services.sandbox.name):
                    self._process_due(services)

    def _process_due(self, services: SandboxServices) -> None:
        # Another process may have moved it.
        services.sandbox.clock.refresh()
        # A slow endpoint must not delay what is due in the other sandboxes.
        with patience(0):
            services.process_due_when_needed()
        self._failing.discard(services.sandbox.name)

    @contextmanager
    def _going_on(self, name: str) -> Iterator[None]:
        """A failure in the block must not stop time, not for the other sandboxes either: the next period tries again.

        A request that meets the failure reports it.
        """
        try:
            yield
        except StoreFailure as failure:
            self._report(name, failure)
        except EmulatorError as error:
            # Such as a sandbox that was deleted meanwhile; requests to it get the error.
            _LOG.debug("sandbox %s: processing failed: %s", name, error)
        except Exception:  # noqa: BLE001 - time goes on after any failure
            if not self._stopping.is_set():
                _LOG.exception("sandbox %s: processing failed", name)

    def _report(self, name: str, failure: StoreFailure) -> None:
        """Once, until it works again: a database may be away for hours."""
        if name not in self._failing:
            self._failing.add(name)
            _LOG.error("sandbox %s: %s", name, failure)
