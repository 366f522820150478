"""Checks of a trigger: whether it means what its author intended."""

from __future__ import annotations

from collections.abc import Iterator

from emulator.harness.checks.finding import ERROR, WARNING, Finding, sentence
from emulator.harness.checks.reachability import can_match
from emulator.harness.checks.registry import SUBSCRIPTION, check
from emulator.harness.subscription_context import SubscriptionContext
from emulator.mapping import Condition, Group, Node, Trigger


@check("T001", ERROR, "The trigger cannot be parsed.", SUBSCRIPTION)
def unparsable(context: SubscriptionContext) -> Iterator[Finding]:
    if context.trigger.error is not None:
        yield Finding(
            place=f"{context.place}.trigger",
            message=sentence(f"This trigger cannot be parsed: {context.trigger.error}"),
            why="A trigger that Segment cannot parse matches no event; only the delivery's result says so.",
            fix='Use conditions such as type = "track", joined by and/or, with one level of parentheses.',
        )


@check("T002", ERROR, "The trigger never matches a kind of event that the audience sends.", SUBSCRIPTION)
def never_matches(context: SubscriptionContext) -> Iterator[Finding]:
    if context.trigger.error is not None or _doubled(context.trigger):
        return
    for kind, event in dict.fromkeys(context.messages()):
        if can_match(context.trigger, kind=kind, event=event):
            continue
        if kind == "identify":
            message = "This trigger never matches identify events."
            why = "Send Identify is on, but an identify event has no event name, so no condition on `event` can match."
            fix = "Remove the event-name condition, or turn off Send Identify and send only track events."
        else:
            message = f"This trigger never matches the track event {event!r}."
            why = "Send Track is on, and this is the event name in the audience's connection."
            fix = "Use the same event name in the trigger and in the audience's event settings."
        yield Finding(place=f"{context.place}.trigger", message=message, why=why, fix=fix)


@check("T003", WARNING, "The trigger mixes `and` and `or` without parentheses.", SUBSCRIPTION)
def mixed_operators(context: SubscriptionContext) -> Iterator[Finding]:
    if context.trigger.error is None and context.trigger.mixes_operators:
        yield Finding(
            place=f"{context.place}.trigger",
            message="This trigger mixes `and` and `or` without parentheses.",
            why="The engine has no operator precedence: the last operator of a level applies to the whole level.",
            fix='Put the alternatives in parentheses: type = "track" and (event = "A" or event = "B").',
        )


@check("T004", ERROR, "The trigger contains `==`, which the engine does not support.", SUBSCRIPTION)
def doubled_equals(context: SubscriptionContext) -> Iterator[Finding]:
    condition = _doubled(context.trigger)
    if condition is not None:
        path = condition.field if condition.name is None else f"{condition.field}.{condition.name}"
        yield Finding(
            place=f"{context.place}.trigger",
            message=f'The engine does not support `==`: it reads this trigger as {path} {condition.operator} "=".',
            why="The engine reads the second sign as the value and ignores the rest silently.",
            fix="Write a single equals sign: =.",
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
