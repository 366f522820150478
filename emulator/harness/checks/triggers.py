"""Checks of a trigger: whether it means what its author intended."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from emulator.harness.checks.finding import ERROR, SUBSCRIPTION, WARNING, Finding, check
from emulator.harness.subscription_context import SubscriptionContext
from emulator.harness.trigger_repair import repaired_trigger
from emulator.harness.trigger_text import read_trigger
from emulator.harness.trigger_tree import Level, grouped
from emulator.mapping import Condition, Group, Node, Trigger, compile_trigger


@check("T001", ERROR, "The trigger cannot be parsed.", SUBSCRIPTION)
def unparsable(context: SubscriptionContext) -> Iterator[Finding]:
    if context.trigger.error is not None:
        yield _finding(
            context,
            "This trigger cannot be parsed.",
            consequence="A trigger that Segment cannot parse matches no event; only the delivery's result says so.",
        )


@check("T002", ERROR, "The trigger never matches a kind of event that the audience sends.", SUBSCRIPTION)
def never_matches(context: SubscriptionContext) -> Iterator[Finding]:
    if context.trigger.error is None and not _doubled(context.trigger) and (missed := _missed(context)):
        yield _finding(context, f"This trigger never matches {_kinds(missed)}.")


@check("T003", WARNING, "The trigger mixes `and` and `or` without parentheses.", SUBSCRIPTION)
def mixed_operators(context: SubscriptionContext) -> Iterator[Finding]:
    if context.trigger.error is None and context.trigger.mixes_operators and not _missed(context):
        texts = _groupings(context)
        yield Finding(
            place=f"{context.place}.trigger",
            message="This trigger mixes `and` and `or` without parentheses.",
            why="The engine has no operator precedence: the last operator of a level applies to the whole level.",
            fix=f"Put the alternatives in parentheses: {_joined(texts)}.",
            repair={"trigger": texts[0]} if len(texts) == 1 else None,
        )


@check("T004", ERROR, "The trigger contains `==`, which the engine does not support.", SUBSCRIPTION)
def doubled_equals(context: SubscriptionContext) -> Iterator[Finding]:
    condition = _doubled(context.trigger)
    if condition is not None:
        path = condition.field if condition.name is None else f"{condition.field}.{condition.name}"
        yield replace(
            _finding(
                context,
                f'The engine does not support `==`: it reads this trigger as {path} {condition.operator} "=".',
            ),
            why="The engine reads the second sign as the value and ignores the rest silently.",
        )


@check("T005", WARNING, "The engine does not read a part of the trigger as it is written.", SUBSCRIPTION)
def misread(context: SubscriptionContext) -> Iterator[Finding]:
    if context.trigger.error is not None or _doubled(context.trigger) or _missed(context):
        return
    reading = read_trigger(context.subscription.trigger)
    for correction in reading.corrections:
        yield Finding(
            place=f"{context.place}.trigger",
            message=correction.cause,
            why="The trigger lets the audience's events pass all the same, but not for the reason it states.",
            fix=f"{correction.change[0].upper()}{correction.change[1:]}.",
        )


def _finding(context: SubscriptionContext, message: str, *, consequence: str | None = None) -> Finding:
    """A finding with the cause and with the trigger that lets every event of the audience pass."""
    repaired = repaired_trigger(str(context.trigger.text), list(_events(context)), _can_pass)
    cause, fix = (repaired.cause, repaired.advice) if repaired else (None, None)
    return Finding(
        place=f"{context.place}.trigger",
        message=message,
        why=" ".join(filter(None, (cause, consequence))) or "No change of this trigger was found to help.",
        fix=fix or "Write a new trigger.",
        repair={"trigger": repaired.text} if repaired else None,
    )


def _missed(context: SubscriptionContext) -> list[tuple[str, str | None]]:
    """The kinds of message of the audiences that the trigger never matches."""
    messages = dict.fromkeys(context.messages())
    return [(kind, event) for kind, event in messages if not can_match(context.trigger, kind=kind, event=event)]


def _kinds(messages: Sequence[tuple[str, str | None]]) -> str:
    """`identify events and the track event 'Audience Entered'`."""
    names = [repr(event) for _, event in messages if event is not None]
    others = [f"{kind} events" for kind, event in messages if event is None]
    named = f"the track event{'s' if len(names) > 1 else ''} {' and '.join(names)}" if names else ""
    return " and ".join(filter(None, (*others, named)))


def _events(context: SubscriptionContext) -> Iterator[Mapping[str, Any]]:
    """What is known of the audiences' messages; one of each type when nothing is connected."""
    for kind, event in dict.fromkeys(context.messages()) or (("identify", None), ("track", None)):
        yield {"type": kind} if event is None else {"type": kind, "event": event}


def _can_pass(trigger: Trigger, event: Mapping[str, Any]) -> bool:
    return can_match(trigger, kind=event["type"], event=event.get("event"))


def _groupings(context: SubscriptionContext) -> list[str]:
    """The meanings of a trigger that mixes `and` and `or` which let the events pass."""
    tree = read_trigger(context.subscription.trigger).tree
    texts: list[str] = []
    if tree is not None and not any(isinstance(item, Level) for item in tree.items):
        texts = [str(grouped(tree, "or", "and")), str(grouped(tree, "and", "or"))]
    events = list(_events(context))
    return [text for text in texts if all(_can_pass(compile_trigger(text), event) for event in events)]


def _joined(texts: Sequence[str]) -> str:
    """The triggers to choose from; how to write one where there is none."""
    return " or ".join(f"`{text}`" for text in texts or ['type = "track" and (event = "A" or event = "B")'])


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
