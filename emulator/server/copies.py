"""A copy of a sandbox: its workspace and everything in a snapshot of it, with tokens and write keys of its own."""

from __future__ import annotations

from tempfile import SpooledTemporaryFile

from emulator.server import snapshot
from emulator.server.sandboxes import NamedSandbox, Sandboxes
from emulator.workspace_document import document_of

_IN_MEMORY_BYTES = 8 * 1024 * 1024


def copy_of(sandboxes: Sandboxes, source: str, *, name: str | None = None) -> NamedSandbox:
    """A new sandbox with the workspace, the data and the time of `source`; journal and faults are not copied.

    Raises NotFound for an unknown `source`, and what `Sandboxes.create` raises.
    """
    original = sandboxes.services(source)
    with SpooledTemporaryFile(_IN_MEMORY_BYTES) as file:
        snapshot.save(original, file)
        file.seek(0)
        created = sandboxes.create(name, workspace=document_of(original.sandbox.workspace))
        try:
            snapshot.load(sandboxes.services(created.name), file)
        except BaseException:
            sandboxes.delete(created.name)
            raise
    return sandboxes.get(created.name)
