"""Snapshots of a running emulator in files: saved and loaded by `snapshot` and `exec`."""

from __future__ import annotations

from pathlib import Path

import httpx

from emulator.cli.running import check
from emulator.complete_files import write_complete
from emulator.errors import unreadable

_URL = "/_emulator/snapshot"
# The emulator answers when it has read or written everything.
_SECONDS = 600


def save(client: httpx.Client, file: Path) -> None:
    """Writes the state of a sandbox to a file that only its owner can read. It appears when it is complete.

    Raises InputError for one that cannot be written, and the emulator's error.
    """
    with client.stream("GET", _URL, timeout=_SECONDS) as response:
        if not response.is_success:
            response.read()
        check(response)
        write_complete(file, response.iter_raw(), mode=0o600)


def load(client: httpx.Client, file: Path) -> None:
    """Replaces the state of a sandbox with that in a file. Raises InputError for one that cannot be read or used."""
    try:
        content = file.open("rb")
    except OSError as error:
        raise unreadable(file, error) from None
    with content:
        length = {"Content-Length": str(file.stat().st_size)}
        check(client.put(_URL, content=content, headers=length, timeout=_SECONDS))
