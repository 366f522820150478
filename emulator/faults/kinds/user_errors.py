"""`userErrors`: a mutation fails with HTTP 200, the failure that clients overlook."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emulator.faults.fault import Fault, InjectedUserError
from emulator.faults.matching import Match, RequestSummary
from emulator.faults.options import string, strings


@dataclass(frozen=True, slots=True, kw_only=True)
class UserErrors(Fault):
    """Returns a user error from every mutation, or only from `operation` if it is given; nothing is written."""

    name: ClassVar[str] = "userErrors"
    main: ClassVar[str] = "message"
    message: str = string("message of the user error", default="The request could not be processed.")
    path: tuple[str, ...] = strings("path of the user error", default=("input",))

    def applies_to(self, request: RequestSummary) -> bool:
        return request.mutates

    def user_error(self, operation: str, match: Match) -> InjectedUserError | None:
        return InjectedUserError(self.message, self.path) if match.operation in (None, operation) else None
