"""`validate`: documents compared with the contracts. The kind of a document is recognised by its content."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from emulator.harness.checks.document_kinds import Content, Kind, kind_of
from emulator.harness.checks.finding import Finding
from emulator.harness.checks.registry import DOCUMENT, FILE, UNKNOWN, findings_in
from emulator.harness.event_files import Document, read_documents


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A document and its findings. `kind` is None for one that cannot be read or is not recognised."""

    document: Document
    kind: Kind | None = None
    findings: tuple[Finding, ...] = ()


def validate(files: Iterable[str], kind: Kind | None = None) -> Iterator[Checked]:
    """Checks every document in the files, `-` for standard input, one at a time, as the given or recognised kind."""
    return (check_document(document, kind) for file in files for document in read_documents(file))


def check_document(document: Document, kind: Kind | None = None) -> Checked:
    """Checks one document. Schema violations come first."""
    if refused := tuple(findings_in(FILE, document)):
        return Checked(document=document, findings=refused)
    kind = kind or kind_of(document.value)
    if kind is None:
        return Checked(document=document, findings=tuple(findings_in(UNKNOWN, document.value)))
    content = Content(kind=kind, value=document.value)
    findings = list(findings_in(DOCUMENT, content))
    for part in content.parts():
        findings += findings_in(part.kind.name, part)
    return Checked(document=document, kind=kind, findings=tuple(findings))
