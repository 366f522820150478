"""The request is answered with a status and nothing is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from emulator.errors import InputError
from emulator.faults.fault import Fault, refuse_unknown


@dataclass(frozen=True, slots=True)
class HttpStatus(Fault):
    """Answers `status` (400 to 599) instead of doing what was asked."""

    name: ClassVar[str] = "status"
    status: int

    @classmethod
    def parse(cls, options: Mapping[str, Any]) -> Self:
        refuse_unknown(options, ("status",))
        status = options.get("status")
        if not isinstance(status, int) or isinstance(status, bool) or not 400 <= status <= 599:
            raise InputError("this is not an error status.", where="status", found=status, allowed="400 to 599")
        return cls(status)

    def options(self) -> dict[str, Any]:
        return {"status": self.status}
