"""Checks of workspaces, mappings, documents and scenarios: what is wrong, why it matters and how to fix it.

Importing the package registers every check; `finding.CHECKS` is the table of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulator.errors import UserMistake, WorkspaceError
from emulator.harness.checks import (  # noqa: F401 - each module registers its checks
    audience_events,
    calls,
    connected_sources,
    documents,
    emails,
    inferred_properties,
    lossy_filters,
    mappings,
    nothing_sent,
    protocols,
    settings,
    timing,
    triggers,
)
from emulator.harness.checks.document_kinds import WORKSPACE_KIND, Content, Kind, kind_of
from emulator.harness.checks.finding import (
    DOCUMENT,
    ERROR,
    FILE,
    NOTE,
    SUBSCRIPTION,
    UNKNOWN,
    UNREADABLE,
    WARNING,
    WORKSPACE,
    Finding,
    findings_in,
)
from emulator.harness.event_files import Document, read_documents
from emulator.harness.subscription_context import subscription_contexts
from emulator.workspace import Workspace, parse_workspace


def lint(workspace: Workspace) -> list[Finding]:
    """All findings: what keeps an emulator from starting, why nothing is sent, then by subscription.

    Of each group errors come before warnings; notes come last. A mistake that subscriptions share is one finding.
    """
    findings = [*findings_in("workspace", workspace), *_sorted(findings_in(WORKSPACE, workspace))]
    try:
        contexts = list(subscription_contexts(workspace))
    except WorkspaceError:
        # An unknown generation: already found, and without it the subscriptions cannot be checked.
        return findings
    for context in contexts:
        findings += [found for found in _sorted(findings_in(SUBSCRIPTION, context)) if found not in findings]
    return sorted(findings, key=lambda finding: finding.severity == NOTE)


def _sorted(findings: Iterable[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: (ERROR, WARNING, NOTE).index(finding.severity))


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A document and its findings. `kind` is None for one that cannot be read or is not recognised."""

    document: Document
    kind: Kind | None = None
    findings: tuple[Finding, ...] = ()

    def as_dicts(self) -> list[dict[str, Any]]:
        """The JSON form of each finding, with the position and the kind of the document."""
        document, kind = self.document, self.kind.name if self.kind else None
        origin = {"file": document.file, "line": document.line, "index": document.index, "kind": kind}
        known = {key: value for key, value in origin.items() if value is not None}
        return [{**known, **finding.as_dict()} for finding in self.findings]


def validate(files: Iterable[str], kind: Kind | None = None) -> Iterator[Checked]:
    """Checks every document in the files, `-` for standard input, one at a time, as the given or recognised kind."""
    return (check_document(document, kind) for file in files for document in read_documents(file))


def check_document(document: Document, kind: Kind | None = None) -> Checked:
    """Checks one document. Schema violations come first; a workspace without any is checked as `lint` does."""
    if refused := tuple(findings_in(FILE, document)):
        return Checked(document=document, findings=refused)
    kind = kind or kind_of(document.value)
    if kind is None:
        return Checked(document=document, findings=tuple(findings_in(UNKNOWN, document.value)))
    content = Content(kind=kind, value=document.value, folder=Path(document.file).parent)
    findings = list(findings_in(DOCUMENT, content))
    workspace = _workspace_in(content) if not findings else None
    if workspace is not None:
        return Checked(document=document, kind=kind, findings=tuple(lint(workspace)))
    for part in content.parts():
        findings += findings_in(part.kind.name, part)
    return Checked(document=document, kind=kind, findings=tuple(findings))


class Summary:
    """How many documents there are by kind, and how many findings by severity."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.kinds: Counter[str] = Counter()

    def add(self, checked: Checked) -> None:
        """Counts a document."""
        self.counts.update(finding.severity for finding in checked.findings)
        if checked.document.error is None:
            self.kinds[checked.kind.name if checked.kind else "unknown"] += 1

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        names = {"errors": ERROR, "warnings": WARNING, "notes": NOTE, "unreadable": UNREADABLE}
        numbers = {name: self.counts[severity] for name, severity in names.items()}
        return {"documents": self.kinds.total(), "kinds": dict(self.kinds), **numbers}


def workspace_findings(document: Mapping[str, Any]) -> list[Finding]:
    """What `validate` finds in a workspace in JSON form, however wrong it is."""
    return list(check_document(Document(file="workspace", value=document), WORKSPACE_KIND).findings)


def _workspace_in(content: Content) -> Workspace | None:
    """The workspace in a document that fits its schema; None if it is of another kind or cannot be read."""
    if content.kind.name != "workspace":
        return None
    try:
        return parse_workspace(content.value, where="")
    except UserMistake:
        return None
