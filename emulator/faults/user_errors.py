"""A mutation answers `userErrors` and writes nothing, with HTTP 200: the failure that clients overlook."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from emulator.errors import InputError
from emulator.faults.effect import Effect, InjectedUserError
from emulator.faults.fault import Fault
from emulator.faults.matching import Match, RequestSummary
from emulator.faults.options import Options, refuse_unknown, text

_DEFAULT_MESSAGE = "The request could not be processed."


@dataclass(frozen=True, slots=True)
class UserErrors(Fault):
    """Every mutation of the request (or the one the rule names) answers one user error with `message` and `path`."""

    name: ClassVar[str] = "userErrors"
    main: ClassVar[str] = "message"
    message: str = _DEFAULT_MESSAGE
    path: tuple[str, ...] = ("input",)

    @classmethod
    def parse(cls, options: Options) -> Self:
        refuse_unknown(options, ("message", "path"))
        path = options.get("path", ["input"])
        if not isinstance(path, list) or not all(isinstance(part, str) for part in path):
            raise InputError("this is not a path", where="path", found=path, allowed="a list of texts")
        return cls(text(options, "message", default=_DEFAULT_MESSAGE), tuple(path))

    def options(self) -> dict[str, Any]:
        return {"message": self.message, "path": list(self.path)}

    def effect(self, trace_id: str, match: Match) -> Effect:
        return Effect(complaints={match.operation: InjectedUserError(self.message, self.path)})

    def applies_to(self, asked: RequestSummary) -> bool:
        return asked.mutates
