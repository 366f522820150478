"""A mutation answers `userErrors` and writes nothing, with HTTP 200: the failure that clients overlook."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from emulator.errors import InputError
from emulator.faults.fault import Fault, refuse_unknown

_DEFAULT_MESSAGE = "The request could not be processed."


@dataclass(frozen=True, slots=True)
class UserErrors(Fault):
    """Every mutation of the request (or the one the rule names) answers one user error with `message` and `path`."""

    name: ClassVar[str] = "userErrors"
    message: str
    path: tuple[str, ...] = ("input",)

    @classmethod
    def parse(cls, options: Mapping[str, Any]) -> Self:
        refuse_unknown(options, ("message", "path"))
        message = options.get("message", _DEFAULT_MESSAGE)
        path = options.get("path", ["input"])
        if not isinstance(message, str):
            raise InputError("this is not a message.", where="message", found=message, allowed="a text")
        if not isinstance(path, list) or not all(isinstance(part, str) for part in path):
            raise InputError("this is not a path.", where="path", found=path, allowed="a list of texts")
        return cls(message, tuple(path))

    def options(self) -> dict[str, Any]:
        return {"message": self.message, "path": list(self.path)}
