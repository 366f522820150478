"""The question about a person, and its answer: the way through both services, where it stopped, and what to change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

# The stages of the sync, in order: what stopped at a later one has come further.
CALL, PROFILE, AUDIENCE, DESTINATION = "call", "profile", "audience", "destination"
TRIGGER, MAPPING, REQUEST, RECORD = "trigger", "mapping", "request", "record"
LATENCY, VISIBLE, PROPERTY, SEGMENT = "latency", "visible", "property", "segment"
STAGES: Final = (
    CALL,
    PROFILE,
    AUDIENCE,
    DESTINATION,
    TRIGGER,
    MAPPING,
    REQUEST,
    RECORD,
    LATENCY,
    VISIBLE,
    PROPERTY,
    SEGMENT,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Who or what is missing. At least one of `email`, `user_id` and `message_id` is given.

    `property` is a StackAdapt property that the profile should have, `segment` the id of a segment to be in.
    """

    email: str | None = None
    user_id: str | None = None
    message_id: str | None = None
    property: str | None = None
    segment: str | None = None

    def as_dict(self) -> dict[str, str]:
        """What was given, by the names of the control API."""
        given = {
            "email": self.email,
            "userId": self.user_id,
            "messageId": self.message_id,
            "property": self.property,
            "segment": self.segment,
        }
        return {name: value for name, value in given.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Where it stopped. `reason` is the code, `found` what was found there, `advice` what to do about it.

    `about` is the delivery, record, request or call that stopped, for the search for a change. `step` orders the stops
    within a stage.
    """

    stage: str
    reason: str
    message: str
    found: str | None = None
    advice: str
    about: Mapping[str, Any] = field(default_factory=dict, repr=False)
    step: int = 0

    @property
    def depth(self) -> tuple[int, int]:
        """How far it came."""
        return STAGES.index(self.stage), self.step

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "stage": self.stage,
            "reason": self.reason,
            "message": self.message,
            "found": self.found,
            "advice": self.advice,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change that was tried. `where` is a path in what `kind` names; `value` None removes what is there.

    Kinds: `trait` and `event` of the person's calls, `record` of another client's, `workspace`, `credential`, `fault`,
    `clock` (a duration further), `mapping` and `segment` of StackAdapt, `regulation` (its type is in `where`), and
    `resend`, which changes nothing.
    """

    kind: str
    where: str
    value: Any
    text: str

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {"kind": self.kind, "where": self.where, "value": self.value, "text": self.text}


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """`way` is what happened at each stage, a line each. `changes` together let it through; empty if none is known."""

    question: Question
    who: str
    arrived: bool
    way: tuple[str, ...]
    stop: Stop | None = None
    changes: tuple[Change, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "question": self.question.as_dict(),
            "who": self.who,
            "arrived": self.arrived,
            "way": list(self.way),
            "stopped": self.stop.as_dict() if self.stop else None,
            "changes": [change.as_dict() for change in self.changes],
            "conclusion": list(self.conclusion()),
            "text": "\n".join(self.lines()),
        }

    def lines(self) -> Iterator[str]:
        """The text form."""
        yield self.who
        yield from (f"  {line}" for line in self.way)
        yield from self.conclusion()

    def conclusion(self) -> Iterator[str]:
        """Where it stopped, what was found there, what to do, and the changes, as text."""
        if self.stop is None:
            yield f"Arrived: {_what(self.question)}."
            return
        yield f"Stopped at the {self.stop.stage} ({self.stop.reason}): {self.stop.message}"
        if self.stop.found is not None:
            yield f"  Found: {self.stop.found}"
        yield f"  What to do: {self.stop.advice}"
        if self.changes:
            yield "  Smallest change that lets it through, found by running it again:"
            yield from (f"    {change.text}" for change in self.changes)


def _what(question: Question) -> str:
    if question.property is not None:
        return f"the profile has the property {question.property!r}"
    if question.segment is not None:
        return f"the profile is in segment {question.segment}"
    return "the profile is visible"
