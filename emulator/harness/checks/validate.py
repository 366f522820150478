"""Documents held against the contracts: what does not fit, and what fits but will not arrive.

What a document is, is seen from its content; the schemas under `contracts/` and a few checks that no schema can state
do the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from emulator.harness.checks.document_finding import ERROR, WARNING, Finding, of_mistake
from emulator.harness.checks.kinds import KINDS, Kind, kind_named, kind_of, unknown_kind
from emulator.harness.event_files import Document, read_documents
from emulator.schemas import in_words, is_deeper_than, mistakes
from emulator.segment.tracking.request_body import NESTING_LIMIT

__all__ = ["ERROR", "KINDS", "WARNING", "Checked", "Finding", "Kind", "check", "kind_named", "validate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A document and what was found in it. `kind` is None for one that cannot be read or that nothing recognises."""

    document: Document
    kind: Kind | None = None
    findings: tuple[Finding, ...] = ()


def validate(files: Iterable[str], kind: Kind | None = None) -> Iterator[Checked]:
    """Every document of the files, `-` for standard input, one at a time, as the given kind or as what it is."""
    return (check(document, kind) for file in files for document in read_documents(file))


def check(document: Document, kind: Kind | None = None) -> Checked:
    """One document. What its schema refuses comes first."""
    content = document.value
    if document.error is not None:
        return Checked(document=document)
    if not isinstance(content, dict):
        finding = Finding(severity=ERROR, path=(), message="a document is a JSON object.", found=in_words(content))
        return Checked(document=document, findings=(finding,))
    if is_deeper_than(NESTING_LIMIT, content):
        finding = Finding(
            severity=ERROR, path=(), message="this is nested too deeply.", allowed=f"{NESTING_LIMIT} deep"
        )
        return Checked(document=document, findings=(finding,))
    kind = kind or kind_of(content)
    if kind is None:
        return Checked(document=document, findings=(unknown_kind(content),))
    refused = [of_mistake(mistake, causes=kind.causes) for mistake in mistakes(content, kind.schema)]
    noticed = [finding for look in kind.checks for finding in look(content)]
    return Checked(document=document, kind=kind, findings=(*refused, *noticed))
