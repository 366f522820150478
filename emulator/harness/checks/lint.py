"""Static findings on a workspace: what `serve` refuses, and its triggers, mappings and settings.

A check is a function from a subscription, with all that surrounds it, to findings; it has a line in the table below.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from emulator.errors import WorkspaceError
from emulator.harness.checks import (
    mappings as mapping_checks,
)
from emulator.harness.checks import (
    settings as settings_checks,
)
from emulator.harness.checks import (
    startup as start_checks,
)
from emulator.harness.checks import (
    triggers as trigger_checks,
)
from emulator.harness.checks.finding import ERROR, WARNING, Finding
from emulator.harness.subscription_context import SubscriptionContext, subscription_contexts
from emulator.workspace import Workspace

__all__ = ["CHECKS", "ERROR", "WARNING", "Finding", "lint"]

CHECKS: tuple[Callable[[SubscriptionContext], Iterator[Finding]], ...] = (
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
    """Every finding: what keeps an emulator from starting first, then subscription by subscription."""
    findings = list(start_checks.refused(workspace))
    try:
        looked_at = list(subscription_contexts(workspace))
    except WorkspaceError:
        # A generation that is not known, with which no emulator starts either.
        return findings
    return findings + [finding for subject in looked_at for check in CHECKS for finding in check(subject)]
