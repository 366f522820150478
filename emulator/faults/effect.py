"""What faults do to a request, in the terms of the door that answers it. The door knows no fault by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from emulator.faults.matching import Match


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplacementResponse:
    """An HTTP answer given instead of doing what was asked. Nothing is written."""

    status: int
    body: str
    content_type: str
    headers: Mapping[str, str] = field(default_factory=dict)


class Ending(Enum):
    """How a connection ends without an answer."""

    RESET = "reset"
    TIMEOUT = "timeout"


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """No answer comes. `applied`: what was asked was done all the same, the caller cannot know."""

    ending: Ending
    applied: bool


@dataclass(frozen=True, slots=True)
class Truncation:
    """Of the answer's body only the first `size` bytes arrive; half of them when it is None, never all of them."""

    size: int | None

    def of(self, body: bytes) -> bytes:
        """What arrives of a body."""
        return body[: len(body) // 2 if self.size is None else min(self.size, max(len(body) - 1, 0))]


@dataclass(frozen=True, slots=True)
class InjectedUserError:
    """A user error that a mutation answers."""

    message: str
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RecordRejection:
    """Records refused at ingestion: those with a matching email (None: all of them), of these every `every`-th place.

    Places are those in the batch, counted from 1.
    """

    email: str | None
    every: int

    def hits(self, email: str | None, position: int) -> bool:
        """Whether the record at a position (counted from 0) is refused."""
        if (position + 1) % self.every:
            return False
        return self.email is None or (email is not None and Match(email=self.email).fits_any([email]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """All that happens to one request. `complaints` are by root field, None for every mutation."""

    delay_ms: int = 0
    instead: ReplacementResponse | None = None
    complaints: Mapping[str | None, InjectedUserError] = field(default_factory=dict)
    rejecting: RecordRejection | None = None
    cut: Truncation | None = None
    no_answer: NoAnswer | None = None

    def user_error_on(self, operation: str) -> InjectedUserError | None:
        """The user error that a root field has to answer."""
        return self.complaints.get(operation) or self.complaints.get(None)


def combined(effects: Iterable[Effect]) -> Effect:
    """Several faults at once: delays add up, otherwise the oldest rule has its way."""
    total = Effect()
    for effect in effects:
        total = Effect(
            delay_ms=total.delay_ms + effect.delay_ms,
            instead=total.instead or effect.instead,
            complaints={**effect.complaints, **total.complaints},
            rejecting=total.rejecting or effect.rejecting,
            cut=total.cut or effect.cut,
            no_answer=total.no_answer or effect.no_answer,
        )
    return total
