"""A condition in words, as explanations have them, without a profile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.segment.conditions.clause import Clause
from emulator.segment.conditions.compile import compile_condition
from emulator.segment.profiles.facts import ProfileFacts


def condition_text(condition: Mapping[str, Any]) -> str:
    """`total_spent needs a number ≥ 500 and email needs any value`, for a condition that fits the workspace's schema.

    Raises WorkspaceError for a value that does not fit its operator.
    """
    return _text(compile_condition(condition, where="condition").explain(ProfileFacts(traits={}), True), nested=False)


def _text(clause: Clause, *, nested: bool) -> str:
    if not clause.parts:
        return clause.text
    text = f" {clause.joint} ".join(_text(part, nested=True) for part in clause.parts)
    return f"({text})" if nested and len(clause.parts) > 1 else text
