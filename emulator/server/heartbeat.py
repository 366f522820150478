"""The passing of real time: what becomes due on a clock that runs happens without anybody asking."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from threading import Event, Thread
from types import TracebackType
from typing import Self

from emulator.errors import EmulatorError
from emulator.server.services import SandboxServices

PERIOD_SECONDS = 1.0
# What is being sent to a slow endpoint is not waited for longer; it is sent again when the emulator is back.
PATIENCE_SECONDS = 5.0
_LOG = logging.getLogger(__name__)


class Heartbeat:
    """Lets the worlds that are open catch up, once in each period, while it is open itself."""

    def __init__(
        self, worlds: Callable[[], Iterable[SandboxServices]], *, period_seconds: float = PERIOD_SECONDS
    ) -> None:
        self._worlds = worlds
        self._period_seconds = period_seconds
        self._stopping = Event()
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
            for world in self._worlds():
                self._catch_up(world)

    def _catch_up(self, world: SandboxServices) -> None:
        try:
            # Another process may have moved it.
            world.sandbox.clock.refresh()
            world.catch_up()
        except EmulatorError as error:
            # Such as a sandbox that was deleted meanwhile; the requests that meet it are told.
            _LOG.debug("sandbox %s did not catch up: %s", world.sandbox.name, error)
        except Exception:  # noqa: BLE001 - one sandbox's trouble must not stop time for the others
            # The next beat tries again, and a request meets the same and is answered with it.
            if not self._stopping.is_set():
                _LOG.exception("sandbox %s did not catch up", world.sandbox.name)
