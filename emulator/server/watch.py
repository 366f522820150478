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
from emulator.protocol import DEFAULT_SANDBOX
from emulator.server.emulator import Emulator
from emulator.server.registry import same
from emulator.text_files import read_text
from emulator.workspace import load_workspace

PERIOD_SECONDS: Final = 0.2
# Looks with the same content after which a valid file is applied, and a broken one reported: it may not be complete.
VALID_LOOKS: Final = 2
BROKEN_LOOKS: Final = 6

_JOIN_SECONDS = 5.0


class WorkspaceWatcher:
    """Applies a file to the default sandbox of an emulator. `say` gets what to tell the user, in lines.

    `started_with` is the text of the file before the emulator read it: a later one is applied.
    """

    def __init__(self, emulator: Emulator, path: Path, say: Callable[[str], None], *, started_with: str | None) -> None:
        self._emulator = emulator
        self._path = path
        self._say = say
        # The last content that was applied or reported.
        self._done = started_with
        emulator.sandboxes.watched = (str(path), None)
        self._seen: str | None = None
        self._looks = 0

    def look(self) -> None:
        """Looks at the file once."""
        content = content_of(self._path)
        if content == self._done:
            # Also when it was changed and changed back meanwhile.
            self._seen, self._looks = None, 0
            return
        self._looks = self._looks + 1 if content == self._seen else 1
        self._seen = content
        if content is None or self._looks < VALID_LOOKS:
            return
        try:
            applied = self._apply(content)
        except UserMistake as mistake:
            if self._looks < BROKEN_LOOKS:
                return
            self._say(f"error: {mistake}")
            self._say(f"{self._path} was not applied; the previous workspace stays active")
            self._emulator.sandboxes.watched = (str(self._path), str(mistake))
            applied = True
        if applied:
            self._done = content

    def _apply(self, content: str) -> bool:
        """Applies the file; False when it has changed meanwhile. Raises UserMistake."""
        from emulator.harness.checks import lint  # imported when a file was changed
        from emulator.harness.checks.at_start import lines_at_start

        workspace = load_workspace(self._path)
        if content_of(self._path) != content:
            return False
        before = self._emulator.sandbox.workspace
        wanted = self._emulator.with_options(workspace)
        sandboxes = self._emulator.sandboxes
        # The next start has this file.
        self._emulator.sandboxes.watched = (str(self._path), None)
        applied = sandboxes.change(DEFAULT_SANDBOX, lambda _: wanted, started_with=workspace).workspace
        if not same(applied, before):
            for line in lines_at_start(lint(applied), self._path):
                self._say(line)
            self._say(f"{self._path} was applied")
        return True


def content_of(path: Path) -> str | None:
    """The text, or why it cannot be read; None while there is no file, as between two steps of an editor."""
    if not path.exists():
        return None
    try:
        return read_text(path)
    except UserMistake as mistake:
        return f"error: {mistake}"


@contextmanager
def watch_workspace(
    emulator: Emulator, path: Path, say: Callable[[str], None], *, started_with: str | None
) -> Iterator[None]:
    """Follows the file within the block, on a thread of its own."""
    ended, watcher = Event(), WorkspaceWatcher(emulator, path, say, started_with=started_with)

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
