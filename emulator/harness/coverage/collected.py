"""The coverage of many sandboxes of one process, some of which are gone before the run ends."""

from __future__ import annotations

from threading import Lock

from emulator.errors import EmulatorError
from emulator.harness.coverage.covered import Coverage
from emulator.harness.coverage.observed import Services, observed


class Collected:
    """Adds up sandboxes. Any thread may add one, as a server does when one is deleted."""

    def __init__(self) -> None:
        self.coverage = Coverage()
        self._lock = Lock()

    def add(self, services: Services) -> None:
        """Adds what a sandbox has recorded so far; one whose data cannot be read is noted."""
        try:
            found = observed(services)
        except EmulatorError as error:
            found = Coverage(notes={f"Sandbox {services.sandbox.name!r} is not counted: {error}."})
        with self._lock:
            self.coverage.merge(found)
