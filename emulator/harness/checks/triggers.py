"""Checks of a trigger: whether it means what its author intended."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from emulator.harness.checks.finding import ERROR, SUBSCRIPTION, WARNING, Finding, check, sentence
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


# The result of an operator for a field that the message does not have, as in the engine.
_OF_MISSING: Mapping[str, bool] = {"!=": True, "not_exists": True}
_OF_TEXT: Mapping[str, Callable[[str, str], bool]] = {
    "=": lambda found, value: found == value,
    "!=": lambda found, value: found != value,
    "contains": lambda found, value: value in found,
    "not_contains": lambda found, value: value not in found,
    "starts_with": lambda found, value: found.startswith(value),
    "not_starts_with": lambda found, value: not found.startswith(value),
    "ends_with": lambda found, value: found.endswith(value),
    "not_ends_with": lambda found, value: not found.endswith(value),
}


def can_match(trigger: Trigger, *, kind: str, event: str | None) -> bool:
    """Whether the trigger can match a message of this type (and event name, for a track event)."""
    if trigger.tree is None:
        return False
    return _evaluate(trigger.tree, {"type": kind, "event": event, "name": None}) is not False


def _evaluate(node: Node, known: Mapping[str, str | None]) -> bool | None:
    if node is None:
        return None
    if isinstance(node, Group):
        results, decisive = [_evaluate(child, known) for child in node.children], node.operator == "or"
        if decisive in results:
            return decisive
        return None if None in results else not decisive
    return _condition(node, known)


def _condition(condition: Condition, known: Mapping[str, str | None]) -> bool | None:
    if condition.field not in known:
        return None
    found = known[condition.field]
    if found is None:
        return _OF_MISSING.get(condition.operator, False)
    if condition.operator in ("exists", "not_exists"):
        return condition.operator == "exists"
    compare = _OF_TEXT.get(condition.operator)
    return compare(found, str(condition.value)) if compare else False
