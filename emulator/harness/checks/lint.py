"""`lint`: static findings in a workspace, its triggers, mappings and settings."""

from __future__ import annotations

from emulator.errors import WorkspaceError
from emulator.harness.checks.finding import ERROR, Finding
from emulator.harness.checks.registry import SUBSCRIPTION, findings_in
from emulator.harness.subscription_context import subscription_contexts
from emulator.workspace import Workspace


def lint(workspace: Workspace) -> list[Finding]:
    """All findings: first what keeps an emulator from starting, then by subscription, errors before warnings."""
    findings = list(findings_in("workspace", workspace))
    try:
        contexts = list(subscription_contexts(workspace))
    except WorkspaceError:
        # An unknown generation: already found, and without it the subscriptions cannot be checked.
        return findings
    for context in contexts:
        findings += sorted(findings_in(SUBSCRIPTION, context), key=lambda finding: finding.severity != ERROR)
    return findings
