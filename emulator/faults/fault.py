"""What a fault is: a class in a module of `kinds` that overrides the hooks it needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emulator.faults.matching import Match, RequestSummary
from emulator.faults.response import FaultedResponse


@dataclass(frozen=True, slots=True)
class InjectedUserError:
    """A user error that a mutation returns in place of its result."""

    message: str
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RecordRejection:
    """Records to reject at ingestion: every `every`-th of a batch, if its email matches (None: any record)."""

    email: str | None
    every: int

    def applies_to(self, email: str | None, position: int) -> bool:
        """Whether the record at a position (counted from 0) is rejected."""
        if (position + 1) % self.every:
            return False
        return self.email is None or (email is not None and Match(email=self.email).matches_any([email]))


class Fault:
    """One way in which a request fails: a frozen data class whose fields are its options (see `options`).

    `name` is its name in definitions, `main` the option that a bare value sets, as in `status=503`. The first line of
    the docstring is its description in the documentation. In the hooks, `match` is what its rule matches.
    """

    __slots__ = ()
    name: ClassVar[str]
    main: ClassVar[str]

    def applies_to(self, request: RequestSummary) -> bool:
        """Whether it has an effect on such a request. If not, its rule is not used up."""
        return True

    def on_request(self, trace_id: str) -> FaultedResponse | None:
        """A response in place of the service's, which then does not process the request; None to let it."""
        return None

    def user_error(self, operation: str, match: Match) -> InjectedUserError | None:
        """A user error for the mutation `operation` to return."""
        return None

    def record_rejection(self, match: Match) -> RecordRejection | None:
        """The records of the request to reject at ingestion."""
        return None

    def on_response(self, response: FaultedResponse) -> FaultedResponse:
        """The response as the client gets it."""
        return response
