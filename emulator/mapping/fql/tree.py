"""The condition tree of a trigger, and what it found in an event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from emulator.mapping.javascript.values import UNDEFINED


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One comparison.

    `field` is the part of the event (`type`, `event`, `name`, `userId`, `properties`, `traits`, `context`); `name` is
    the path within the last three, None for the others. `value` is a text, number or boolean, UNDEFINED for operators
    that need none (`exists`, `not_exists`, `is_true`, `is_false`).
    """

    field: str
    operator: str
    name: str | None = None
    value: object = UNDEFINED


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Conditions joined by one operator, `and` or `or`.

    A None among the children stands for parentheses without any condition in them: evaluation fails on reaching it.
    `operators` are all those that the text has on this level; the last of them is `operator`.
    """

    operator: str
    children: tuple[Node, ...]
    operators: frozenset[str] = frozenset()


def mixes_operators(node: Node) -> bool:
    """Whether conditions of one level, here or further down, are joined by `and` and by `or`."""
    return isinstance(node, Group) and (len(node.operators) > 1 or any(map(mixes_operators, node.children)))


Node: TypeAlias = Condition | Group | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What a node of the tree made of an event.

    `found` is the value that a condition looked at (UNDEFINED when missing, and for groups). `error` is set where
    evaluation fails. Groups explain all their children, also those that evaluation would skip.
    """

    node: Node
    passed: bool
    found: object = UNDEFINED
    error: str | None = None
    children: tuple[Explanation, ...] = ()
