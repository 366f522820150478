"""Whether a trigger can match a kind of message at all, whatever its properties and traits contain.

The kind of message decides conditions on the type and the event name; every other condition may or may not match. The
tree is evaluated with three values: True, False, and None for undecided.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from emulator.mapping import Condition, Group, Node, Trigger

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
        return _joined(node.operator, [_evaluate(child, known) for child in node.children])
    return _condition(node, known)


def _joined(operator: str, results: Sequence[bool | None]) -> bool | None:
    decisive = operator == "or"
    if decisive in results:
        return decisive
    return None if None in results else not decisive


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
