"""What other processes say through a shared PostgreSQL database: one connection that listens, for all sandboxes."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Lock, Thread
from typing import Final

# The channel of all sandboxes; what is sent is the name of the schema.
CHANNEL: Final = "stackadapt_emulator"

_TRY_AGAIN_SECONDS = 1.0
_LOG = logging.getLogger(__name__)


class Notices:
    """Calls back when another process notifies this one of a change in a schema.

    It listens from the first wait on, on a connection of its own, which is opened again when it is lost: a notice in
    between is missed, so that those who wait look again now and then.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = Lock()
        self._called: dict[str, list[Callable[[], object]]] = defaultdict(list)
        self._thread: Thread | None = None
        self._listening = Event()
        self._closed = Event()

    @contextmanager
    def calling(self, schema: str, call: Callable[[], object]) -> Iterator[None]:
        """Calls `call` within the block, on another thread, whenever there is a notice of the schema."""
        with self._lock:
            self._called[schema].append(call)
            if self._thread is None:
                self._thread = Thread(target=self._listen, name="stackadapt-emulator-notices", daemon=True)
                self._thread.start()
        try:
            self._listening.wait(_TRY_AGAIN_SECONDS)
            yield
        finally:
            with self._lock:
                self._called[schema].remove(call)

    def close(self) -> None:
        """Ends the connection."""
        self._closed.set()

    def _listen(self) -> None:
        import psycopg

        while not self._closed.is_set():
            try:
                with psycopg.connect(self._url, autocommit=True) as connection:
                    connection.execute(f"LISTEN {CHANNEL}")
                    self._listening.set()
                    while not self._closed.is_set():
                        for notice in connection.notifies(timeout=_TRY_AGAIN_SECONDS):
                            self._call(notice.payload)
            except psycopg.Error as error:
                _LOG.debug("no notices: %s", error)
                self._listening.clear()
                self._closed.wait(_TRY_AGAIN_SECONDS)

    def _call(self, schema: str) -> None:
        with self._lock:
            called = list(self._called.get(schema, ()))
        for call in called:
            call()
