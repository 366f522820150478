"""`timeout`: no response until the client gives up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emulator.faults.kinds.reset import LostResponse
from emulator.faults.response import Interruption


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeout(LostResponse):
    """Sends no response and leaves the connection open.

    Over a socket the client closes it, or the server does after about two minutes; no thread waits. In process
    `httpx.ReadTimeout` is raised at once.
    """

    name: ClassVar[str] = "timeout"
    interruption: ClassVar[Interruption] = Interruption.SILENCE
