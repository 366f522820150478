"""The clock of an emulator, moved through the control API."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from emulator.harness.client.endpoint import Endpoint


class ClockClient:
    """Reads, advances, freezes and resumes the clock. Every method returns the emulator's time, in UTC."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    @property
    def now(self) -> datetime:
        """The current time of the emulator."""
        return _time_in(self._endpoint.control.get("clock"))

    def advance(self, duration: str | None = None, **units: float) -> datetime:
        """Moves time forward: `advance("4h")` or `advance(hours=4)`. Processes everything that becomes due."""
        seconds = timedelta(**units).total_seconds()
        return self._change("advance", {"seconds": seconds} if duration is None else {"duration": duration})

    def freeze(self) -> datetime:
        """Stops the clock."""
        return self._change("freeze")

    def resume(self) -> datetime:
        """Lets the clock run again."""
        return self._change("resume")

    def _change(self, action: str, body: dict[str, Any] | None = None) -> datetime:
        return _time_in(self._endpoint.control.post(f"clock/{action}", body))


def _time_in(state: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(state["now"])
