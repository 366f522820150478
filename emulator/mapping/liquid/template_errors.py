"""What a template fails with. LiquidJS adds the line and the column to every message."""

from __future__ import annotations


class LiquidFailure(Exception):
    """A failure without a place, which the tag or output that it happens in adds."""


class TemplateError(Exception):
    """A failure with its place: `name` is LiquidJS's, such as `TokenizationError` or `RenderError`."""

    def __init__(self, name: str, problem: str, source: str, position: int) -> None:
        line = source.count("\n", 0, position) + 1
        column = position - source.rfind("\n", 0, position)
        super().__init__(f"{problem}, line:{line}, col:{column}")
        self.name = name
