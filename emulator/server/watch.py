"""Follows a workspace file: applies it once it was saved, and keeps the previous workspace while it is broken.

The content decides, not the time or the identity of the file: editors write by renaming another file, by truncating
it, or in several steps. It is read at short intervals and used when it was the same a few times in a row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Final

from emulator.errors import EmulatorError, UserMistake
from emulator.server.emulator import Emulator
from emulator.server.registry import same
from emulator.workspace import parse_workspace
from emulator.workspace_file import parse

PERIOD_SECONDS: Final = 0.2
# Looks with the same content after which a valid file is applied, and a broken one reported: it may not be complete.
VALID_LOOKS: Final = 2
BROKEN_LOOKS: Final = 6

_JOIN_SECONDS = 5.0


class WorkspaceWatcher:
    """Applies a file to the default sandbox of an emulator. `say` gets what to tell the user, in lines."""

    def __init__(self, emulator: Emulator, path: Path, say: Callable[[str], None]) -> None:
        self._emulator = emulator
        self._path = path
        self._say = say
        # The last content that was applied or reported; an emulator has started with the present one.
        self._done = self._content()
        self._seen: bytes | None = None
        self._looks = 0

    def look(self) -> None:
        """Looks at the file once."""
        content = self._content()
        if content == self._done:
            # Also when it was changed and changed back meanwhile.
            self._seen, self._looks = None, 0
            return
        self._looks = self._looks + 1 if content == self._seen else 1
        self._seen = content
        if content is None or self._looks < VALID_LOOKS:
            return
        try:
            self._apply(content)
        except UserMistake as mistake:
            if self._looks < BROKEN_LOOKS:
                return
            self._say(f"error: {mistake}")
            self._say(f"{self._path} was not applied; the previous workspace stays active")
        self._done = content

    def _content(self) -> bytes | None:
        """None while there is no file, as between two steps of an editor."""
        try:
            return self._path.read_bytes()
        except OSError:
            return None

    def _apply(self, content: bytes) -> None:
        from emulator.harness.checks import lint  # imported when a file was changed
        from emulator.harness.checks.at_start import lines_at_start

        where = str(self._path)
        workspace = parse_workspace(parse(content.decode("utf-8-sig", "replace"), where=where), where=where)
        before = self._emulator.sandbox.workspace
        applied = self._emulator.change_workspace(workspace)
        if same(applied, before):
            return
        for line in lines_at_start(lint(applied), self._path):
            self._say(line)
        self._say(f"{self._path} was applied")


@contextmanager
def watch_workspace(emulator: Emulator, path: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Follows the file within the block, on a thread of its own."""
    ended, watcher = Event(), WorkspaceWatcher(emulator, path, say)

    def follow() -> None:
        while not ended.wait(PERIOD_SECONDS):
            try:
                watcher.look()
            except EmulatorError as error:
                # Such as a full disk: the next look tries again.
                say(f"error: {error}")

    thread = Thread(target=follow, name="watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(_JOIN_SECONDS)
