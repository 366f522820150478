"""Checks of a trigger: does it mean what its author meant?"""

from __future__ import annotations

from collections.abc import Iterator

from emulator.harness.checks.finding import ERROR, WARNING, Finding
from emulator.harness.checks.reachability import can_match
from emulator.harness.subscription_context import SubscriptionContext
from emulator.mapping import Condition, Group, Node, Trigger


def unreadable(subject: SubscriptionContext) -> Iterator[Finding]:
    """T001: the engine cannot parse the trigger, so it matches nothing."""
    if subject.trigger.error is not None:
        yield Finding(
            code="T001",
            severity=ERROR,
            place=f"{subject.place}.trigger",
            message=f"This trigger cannot be read: {subject.trigger.error}",
            why="A trigger that Segment cannot parse lets no event through, and says so only in the delivery's result.",
            fix='Use conditions such as type = "track", joined by and/or, with one level of parentheses.',
        )


def doubled_equals(subject: SubscriptionContext) -> Iterator[Finding]:
    """T004: `==`, of which the engine reads the second sign as the value."""
    condition = _doubled(subject.trigger)
    if condition is not None:
        path = condition.field if condition.name is None else f"{condition.field}.{condition.name}"
        yield Finding(
            code="T004",
            severity=ERROR,
            place=f"{subject.place}.trigger",
            message=f'This trigger is read as {path} {condition.operator} "=": the engine knows no `==`.',
            why="The second sign is taken for the value, and the text after it is dropped without a word.",
            fix="Write one sign: =.",
        )


def never_matches(subject: SubscriptionContext) -> Iterator[Finding]:
    """T002: a kind of message that the audience sends can never satisfy the trigger."""
    if subject.trigger.error is not None or _doubled(subject.trigger):
        return
    for kind, event in dict.fromkeys(subject.messages()):
        if can_match(subject.trigger, kind=kind, event=event):
            continue
        if kind == "identify":
            message = "This trigger never lets identify events through."
            why = (
                "Send Identify is on, but an identify event has no event name, so no condition on `event` holds for it."
            )
            fix = "Leave the event name out of the trigger, or turn Send Identify off and send track events only."
        else:
            message = f"This trigger never lets the track event {event!r} through."
            why = "Send Track is on, and this is the name that the audience's connection gives its event."
            fix = "Name the same event in the trigger and in the audience's event settings."
        yield Finding(code="T002", severity=ERROR, place=f"{subject.place}.trigger", message=message, why=why, fix=fix)


def mixed_operators(subject: SubscriptionContext) -> Iterator[Finding]:
    """T003: `and` and `or` on one level; the engine takes the last one for the whole level."""
    if subject.trigger.error is None and subject.trigger.mixes_operators:
        yield Finding(
            code="T003",
            severity=WARNING,
            place=f"{subject.place}.trigger",
            message="This trigger mixes `and` and `or` without parentheses.",
            why="The engine knows no precedence: the last operator of a level is used for the whole level.",
            fix='Put the alternatives in parentheses: type = "track" and (event = "A" or event = "B").',
        )


def _doubled(trigger: Trigger) -> Condition | None:
    """The first condition whose value is the second sign of a `==`."""
    if "==" not in str(trigger.text):
        return None
    return next((condition for condition in _conditions(trigger.tree) if condition.value == "="), None)


def _conditions(node: Node) -> Iterator[Condition]:
    if isinstance(node, Condition):
        yield node
    elif isinstance(node, Group):
        for child in node.children:
            yield from _conditions(child)
