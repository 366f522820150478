"""What an emulator refuses to start with: what shows only when a workspace is put to use, not when it is read."""

from __future__ import annotations

from emulator.errors import EmulatorDefect
from emulator.sandbox import Sandbox
from emulator.segment import Segment
from emulator.stackadapt import StackAdapt
from emulator.store import Store
from emulator.transport import Transport
from emulator.workspace import Destination, Workspace


def check_start(workspace: Workspace) -> None:
    """Raises the UserMistake with which `serve` would refuse the workspace: a condition, a fault, a generation."""
    # The companies themselves are asked, in memory: a copy of their rules would say something else one day.
    store = Store()
    try:
        sandbox = Sandbox(workspace, store=store)
        StackAdapt(sandbox, api_version=workspace.api_version)
        Segment(sandbox, _no_way)
    finally:
        store.close()


def _no_way(destination: Destination) -> Transport:
    raise EmulatorDefect("nothing is sent where a workspace is only looked at", found=destination.name)
