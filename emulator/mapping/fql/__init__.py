"""Triggers: the FQL of a subscription, compiled once and evaluated against events."""

from __future__ import annotations

from collections.abc import Callable

from emulator.mapping.fql.evaluation import compile_node, explain_node
from emulator.mapping.fql.parser import Condition, ConditionResult, Group, Node, ParseError, mixes_operators, parse
from emulator.mapping.javascript.values import UNDEFINED

__all__ = ["NOT_A_STRING", "Condition", "ConditionResult", "Group", "Node", "Trigger", "compile_trigger"]

NOT_A_STRING = "Failed to validate subscription"


class Trigger:
    """A compiled trigger. One that cannot be parsed has an `error`, no `tree`, and matches nothing."""

    __slots__ = ("_matches", "error", "text", "tree")

    def __init__(self, text: object, *, tree: Group | None = None, error: str | None = None) -> None:
        self.text = text
        self.tree = tree
        self.error = error
        self._matches: Callable[[object], bool] = compile_node(tree) if tree else lambda _event: False

    def matches(self, event: object) -> bool:
        """Whether the event passes. Raises MappingError for null and for parentheses without a condition."""
        return event is not UNDEFINED and self._matches(event)

    @property
    def mixes_operators(self) -> bool:
        """Whether any parenthesis level has both `and` and `or`; the last one then applies to the whole level."""
        return mixes_operators(self.tree)

    def explain(self, event: object) -> ConditionResult | None:
        """The result of each condition for the event; None for a trigger with an error."""
        return explain_node(self.tree, event) if self.tree else None


def compile_trigger(text: object) -> Trigger:
    """Compiles a trigger. Never raises: `error` is the parser's message, in the engine's words.

    The engine shows it after `Invalid subscription : `. For an empty string and other types it is the whole message.
    """
    if not isinstance(text, str) or not text:
        return Trigger(text, error=NOT_A_STRING)
    try:
        return Trigger(text, tree=parse(text))
    except ParseError as error:
        return Trigger(text, error=str(error))
