"""Triggers: the FQL text of a subscription, compiled once and held against events."""

from __future__ import annotations

from collections.abc import Callable

from emulator.mapping.fql.evaluation import compile_node, explain_node
from emulator.mapping.fql.parser import ParseError, parse
from emulator.mapping.fql.tree import Condition, Explanation, Group, Node, mixes_operators
from emulator.mapping.javascript.values import UNDEFINED

__all__ = ["Condition", "Explanation", "Group", "Node", "Trigger", "compile_trigger"]

NOT_A_TEXT = "Failed to validate subscription"


class Trigger:
    """A compiled trigger. One that could not be parsed has an `error` and no `tree`, and matches nothing."""

    __slots__ = ("_holds", "error", "text", "tree")

    def __init__(self, text: object, *, tree: Group | None = None, error: str | None = None) -> None:
        self.text = text
        self.tree = tree
        self.error = error
        self._holds: Callable[[object], bool] = compile_node(tree) if tree else _never

    def matches(self, event: object) -> bool:
        """Whether the trigger lets the event through.

        Raises MappingError (a TypeError) for an event that is null, and for parentheses without a condition, where
        the engine fails instead of answering.
        """
        return event is not UNDEFINED and self._holds(event)

    @property
    def mixes_operators(self) -> bool:
        """Whether some parenthesis level has both `and` and `or`: the last one then counts for the whole level."""
        return mixes_operators(self.tree)

    def explain(self, event: object) -> Explanation | None:
        """What each condition found in the event, and whether it held; None for a trigger with an error."""
        return explain_node(self.tree, event) if self.tree else None


def compile_trigger(text: object) -> Trigger:
    """Compiles a trigger. Never raises: what is wrong is the trigger's `error`, in the engine's words.

    A text that cannot be parsed has the parser's message, which the engine shows after `Invalid subscription : `;
    anything that is no text, and the empty text, has the whole message.
    """
    if not isinstance(text, str) or not text:
        return Trigger(text, error=NOT_A_TEXT)
    try:
        return Trigger(text, tree=parse(text))
    except ParseError as error:
        return Trigger(text, error=str(error))


def _never(_event: object) -> bool:
    return False
