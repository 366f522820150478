"""Static findings on a workspace's triggers, mappings and settings.

A check is a function from a subscription, with all that surrounds it, to findings; it has a line in the table below.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from emulator.harness.lint import mapping_checks, settings_checks, trigger_checks
from emulator.harness.lint.finding import ERROR, WARNING, Finding
from emulator.harness.subject import Subject, subjects
from emulator.workspace import Workspace

__all__ = ["CHECKS", "ERROR", "WARNING", "Finding", "lint"]

CHECKS: tuple[Callable[[Subject], Iterator[Finding]], ...] = (
    settings_checks.advertiser,
    settings_checks.token,
    trigger_checks.unreadable,
    trigger_checks.doubled_equals,
    trigger_checks.never_matches,
    trigger_checks.mixed_operators,
    mapping_checks.unknown_action,
    mapping_checks.broken,
    mapping_checks.unknown_field,
    mapping_checks.missing_field,
    mapping_checks.unknown_choice,
    mapping_checks.email,
    mapping_checks.custom_properties,
    mapping_checks.breaking_text,
)


def lint(workspace: Workspace) -> list[Finding]:
    """Every finding, subscription by subscription. Raises UserMistake for a generation that is not known."""
    return [finding for subject in subjects(workspace) for check in CHECKS for finding in check(subject)]
