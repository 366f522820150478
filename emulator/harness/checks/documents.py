"""Checks of any document: whether it can be read, is of a known kind, fits its schema and can be used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from emulator.errors import EmulatorDefect, UserMistake, nearest
from emulator.harness.checks.document_kinds import KINDS, Content, kind_named
from emulator.harness.checks.finding import DOCUMENT, ERROR, FILE, UNKNOWN, UNREADABLE, Finding, check, of_mistake
from emulator.harness.event_files import Document
from emulator.harness.scenarios.files import scenarios_in
from emulator.sandbox import Sandbox
from emulator.schemas import Path as PathInDocument
from emulator.schemas import in_words, is_deeper_than, mistakes, place
from emulator.segment import Segment
from emulator.segment.tracking.calls import CALLS
from emulator.segment.tracking.request_body import NESTING_LIMIT
from emulator.stackadapt import StackAdapt
from emulator.store import Store
from emulator.transport import Transport
from emulator.workspace import Destination, Workspace, parse_workspace

_TOP = place(())


@check("V001", UNREADABLE, "The document cannot be read.", FILE)
def unreadable(document: Document) -> Iterator[Finding]:
    if document.error is not None:
        yield of_mistake(document.error, _TOP)


@check("V002", ERROR, "The document is not a JSON object.", FILE)
def not_an_object(document: Document) -> Iterator[Finding]:
    if document.error is None and not isinstance(document.value, dict):
        yield Finding(place=_TOP, message="A document must be a JSON object.", found=in_words(document.value))


@check("V003", ERROR, "The document is nested too deeply.", FILE)
def nested_too_deeply(document: Document) -> Iterator[Finding]:
    if isinstance(document.value, dict) and is_deeper_than(NESTING_LIMIT, document.value):
        allowed = f"{NESTING_LIMIT} levels"
        yield Finding(place=_TOP, message="This document is nested too deeply.", allowed=allowed)


@check("V004", ERROR, "The kind of the document is unknown.", UNKNOWN)
def unknown_kind(document: Mapping[str, Any]) -> Iterator[Finding]:
    type_ = document.get("type")
    yield Finding(
        place=place(() if type_ is None else ("type",)),
        message="The kind of this document is unknown.",
        found=", ".join(map(str, document)) if type_ is None else str(type_),
        allowed=", ".join(kind.name for kind in KINDS),
        fix=(type_ is not None and nearest(str(type_), CALLS)) or "Name the kind with --as KIND.",
    )


@check("V005", ERROR, "The document does not fit its schema.", DOCUMENT)
def schema_violations(content: Content) -> Iterator[Finding]:
    """Also of the mappings in a workspace or destination instance, whose schema allows any object there."""
    consequences = content.kind.consequences
    for mistake in mistakes(content.value, content.kind.schema):
        at = mistake.path if mistake.key is None else (*mistake.path, mistake.key)
        yield of_mistake(mistake, mistake.place, why=consequences.get(at))
    for path, mapping in _mappings(content):
        for mistake in mistakes(mapping, kind_named("mapping").schema):
            yield of_mistake(mistake, place((*path, *mistake.path)))


def _mappings(content: Content) -> Iterator[tuple[PathInDocument, object]]:
    instances: list[tuple[PathInDocument, object]] = []
    if content.kind.name == "destination-instance":
        instances = [((), content.value)]
    elif content.kind.name == "workspace":
        instances = [(("destinations", index), each) for index, each in enumerate(_list(content.value, "destinations"))]
    for path, instance in instances:
        for index, subscription in enumerate(_list(instance, "subscriptions")):
            mapping = subscription.get("mapping") if isinstance(subscription, dict) else None
            if isinstance(mapping, dict):
                yield (*path, "subscriptions", index, "mapping"), mapping


def _list(value: object, key: str) -> list[Any]:
    items = value.get(key) if isinstance(value, dict) else None
    return items if isinstance(items, list) else []


_FILE = Path("scenario")


@check("N001", ERROR, "The scenario uses an unknown name or describes an invalid workspace.", "scenario")
def unusable(content: Content) -> Iterator[Finding]:
    """The first mistake in a scenario that fits its schema, the one that `verify` reports."""
    if mistakes(content.value, content.kind.schema):
        return
    try:
        for _ in scenarios_in(content.value, _FILE, folder=content.folder):
            pass
    except UserMistake as error:
        yield of_mistake(error, (error.where or "").removeprefix(f"{_FILE}: "))


@check("W001", ERROR, "The emulator refuses to start with the workspace.", "workspace")
def cannot_start(subject: Workspace | Content) -> Iterator[Finding]:
    """The first mistake in a workspace that fits its schema, the one that `serve` reports."""
    if isinstance(subject, Content) and mistakes(subject.value, subject.kind.schema):
        return
    try:
        workspace = subject if isinstance(subject, Workspace) else parse_workspace(subject.value, where="")
        # The services themselves decide, in memory: a copy of their rules could differ from them one day.
        with closing(Store()) as store:
            sandbox = Sandbox(workspace, store=store)
            StackAdapt(sandbox, api_version=workspace.api_version)
            Segment(sandbox, _no_transport)
    except UserMistake as error:
        finding = of_mistake(error, (error.where or "").removeprefix(": "))
        yield replace(finding, why="`serve` and `exec` refuse to start with this workspace.")


def _no_transport(destination: Destination) -> Transport:
    raise EmulatorDefect("a workspace that is only checked sends nothing", found=destination.name)
