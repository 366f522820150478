"""The time of an emulator, moved by whoever tests."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from emulator.harness.client.endpoint import Endpoint


class ClockClient:
    """Look at the time, move it, stand it still, let it run on."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    @property
    def now(self) -> datetime:
        """The present moment there, UTC."""
        return _moment(self._endpoint.control.get("clock"))

    def advance(self, duration: str | None = None, **units: float) -> datetime:
        """Moves time forward: `advance("4h")` or `advance(hours=4)`. What becomes due happens before it returns."""
        if duration is None:
            return _moment(
                self._endpoint.control.post("clock/advance", {"seconds": timedelta(**units).total_seconds()})
            )
        return _moment(self._endpoint.control.post("clock/advance", {"duration": duration}))

    def freeze(self) -> datetime:
        """Stands the clock still."""
        return _moment(self._endpoint.control.post("clock/freeze"))

    def resume(self) -> datetime:
        """Lets it run on."""
        return _moment(self._endpoint.control.post("clock/resume"))


def _moment(state: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(state["now"])
