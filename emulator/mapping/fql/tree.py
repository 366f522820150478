"""The condition tree of a trigger, and its result for an event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from emulator.mapping.javascript import UNDEFINED


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One comparison.

    `field` is `type`, `event`, `name`, `userId`, `properties`, `traits` or `context`; `name` is the path within the
    last three, None for the others. `value` is a string, number or boolean, UNDEFINED for operators without one
    (`exists`, `not_exists`, `is_true`, `is_false`).
    """

    field: str
    operator: str
    name: str | None = None
    value: object = UNDEFINED


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Conditions joined by one operator, `and` or `or`.

    A child None is a pair of parentheses without a condition: evaluating it fails. `operators` are all operators of
    this level; the last of them is `operator`.
    """

    operator: str
    children: tuple[Node, ...]
    operators: frozenset[str] = frozenset()


def mixes_operators(node: Node) -> bool:
    """Whether any level of the tree has both `and` and `or`."""
    return isinstance(node, Group) and (len(node.operators) > 1 or any(map(mixes_operators, node.children)))


Node: TypeAlias = Condition | Group | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionResult:
    """The result of a node for an event.

    `found` is the value that a condition tested (UNDEFINED if missing, and for groups). `error` is set if evaluation
    fails. Groups list all their children, including those that evaluation would skip.
    """

    node: Node
    passed: bool
    found: object = UNDEFINED
    error: str | None = None
    children: tuple[ConditionResult, ...] = ()
