"""Whether a trigger can ever let a kind of message through, whatever its properties and traits hold.

Conditions on the type and the event name are decided by the kind of message, all others may go either way; the tree is
then evaluated with three values: yes, no, and None for either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from emulator.mapping import Condition, Group, Node, Trigger

# What an operator says of a field that the message does not have, as in the engine's evaluation.
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
    """Whether some message of this type (and event name, for a track) can satisfy the trigger."""
    if trigger.tree is None:
        return False
    return _possible(trigger.tree, {"type": kind, "event": event, "name": None}) is not False


def _possible(node: Node, known: Mapping[str, str | None]) -> bool | None:
    if node is None:
        return None
    if isinstance(node, Group):
        return _joined(node.operator, [_possible(child, known) for child in node.children])
    return _condition(node, known)


def _joined(operator: str, answers: Sequence[bool | None]) -> bool | None:
    decisive = operator == "or"
    if decisive in answers:
        return decisive
    return None if None in answers else not decisive


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
