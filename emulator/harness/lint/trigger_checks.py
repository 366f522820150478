"""Checks of a trigger: does it mean what its author meant?"""

from __future__ import annotations

from collections.abc import Iterator

from emulator.harness.lint.finding import ERROR, WARNING, Finding
from emulator.harness.lint.reach import can_match
from emulator.harness.subject import Subject


def unreadable(subject: Subject) -> Iterator[Finding]:
    """T001: the engine cannot parse the trigger, so it matches nothing."""
    if subject.trigger.error is not None:
        yield Finding(
            code="T001",
            severity=ERROR,
            place=f"{subject.place}.trigger",
            message=f"This trigger cannot be read: {subject.trigger.error}",
            why="A trigger that Segment cannot parse lets no event through, and says so only in the delivery's result.",
            mend='Use conditions such as type = "track", joined by and/or, with one level of parentheses.',
        )


def never_matches(subject: Subject) -> Iterator[Finding]:
    """T002: a kind of message that the audience sends can never satisfy the trigger."""
    if subject.trigger.error is not None:
        return
    for kind, event in dict.fromkeys(subject.messages()):
        if can_match(subject.trigger, kind=kind, event=event):
            continue
        if kind == "identify":
            message = "This trigger never lets identify events through."
            why = (
                "Send Identify is on, but an identify event has no event name, so no condition on `event` holds for it."
            )
            mend = "Leave the event name out of the trigger, or turn Send Identify off and send track events only."
        else:
            message = f"This trigger never lets the track event {event!r} through."
            why = "Send Track is on, and this is the name that the audience's connection gives its event."
            mend = "Name the same event in the trigger and in the audience's event settings."
        yield Finding(
            code="T002", severity=ERROR, place=f"{subject.place}.trigger", message=message, why=why, mend=mend
        )


def mixed_operators(subject: Subject) -> Iterator[Finding]:
    """T003: `and` and `or` on one level; the engine takes the last one for the whole level."""
    if subject.trigger.error is None and subject.trigger.mixes_operators:
        yield Finding(
            code="T003",
            severity=WARNING,
            place=f"{subject.place}.trigger",
            message="This trigger mixes `and` and `or` without parentheses.",
            why="The engine knows no precedence: the last operator of a level is used for the whole level.",
            mend='Put the alternatives in parentheses: type = "track" and (event = "A" or event = "B").',
        )
