"""The check of a workspace as a whole: whether an emulator starts with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from emulator.errors import EmulatorDefect, UserMistake
from emulator.harness.checks.document_kinds import Content
from emulator.harness.checks.finding import ERROR, Finding, of_mistake
from emulator.harness.checks.registry import check
from emulator.sandbox import Sandbox
from emulator.schemas import mistakes
from emulator.segment import Segment
from emulator.stackadapt import StackAdapt
from emulator.store import Store
from emulator.transport import Transport
from emulator.workspace import Destination, Workspace, parse_workspace


@check("W001", ERROR, "The emulator refuses to start with the workspace.", "workspace")
def cannot_start(subject: Workspace | Content) -> Iterator[Finding]:
    """The first mistake in a workspace that fits its schema, the one that `serve` reports."""
    if isinstance(subject, Content) and mistakes(subject.value, subject.kind.schema):
        return
    try:
        _start(subject if isinstance(subject, Workspace) else parse_workspace(subject.value, where=""))
    except UserMistake as error:
        finding = of_mistake(error, (error.where or "").removeprefix(": "))
        yield replace(finding, why="`serve` and `exec` refuse to start with this workspace.")


def _start(workspace: Workspace) -> None:
    """Raises the UserMistake with which `serve` would refuse the workspace."""
    # The services themselves decide, in memory: a copy of their rules could differ from them one day.
    store = Store()
    try:
        sandbox = Sandbox(workspace, store=store)
        StackAdapt(sandbox, api_version=workspace.api_version)
        Segment(sandbox, _no_transport)
    finally:
        store.close()


def _no_transport(destination: Destination) -> Transport:
    raise EmulatorDefect("a workspace that is only checked sends nothing", found=destination.name)
