"""The body of the answer is cut short and the connection closed; what was asked is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from emulator.faults.effect import Effect, Truncation
from emulator.faults.fault import Fault
from emulator.faults.matching import Match
from emulator.faults.options import Options, refuse_unknown, whole_number


@dataclass(frozen=True, slots=True)
class Truncated(Fault):
    """Sends the first `size` bytes (option `bytes`) under the Content-Length of all of them; half without the option.

    In process the reader gets them and then an `httpx.RemoteProtocolError`.
    """

    name: ClassVar[str] = "truncated"
    main: ClassVar[str] = "bytes"
    size: int | None = None

    @classmethod
    def parse(cls, options: Options) -> Self:
        refuse_unknown(options, ("bytes",))
        return cls(whole_number(options, "bytes", least=0, most=1_000_000) if "bytes" in options else None)

    def options(self) -> dict[str, Any]:
        return {} if self.size is None else {"bytes": self.size}

    def effect(self, trace_id: str, match: Match) -> Effect:
        return Effect(cut=Truncation(self.size))
