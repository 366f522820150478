"""The log: the events of a sandbox as lines of text or JSON on standard error.

It contains no tokens and no bodies, and email addresses only on request.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from dataclasses import fields
from typing import TextIO

from emulator.clock import to_iso
from emulator.events import Event
from emulator.server.log_lines import line_of, masked
from emulator.text import on_one_line, whole_characters

# Bodies are in the journal; the ids of a batch's events would fill the line.
_NEVER = ("at", "request", "response", "emails", "message_ids", "content")


class LogWriter:
    """Listens to a journal and writes one line for each event; a line that cannot be written is dropped."""

    def __init__(self, log_format: str, *, show_pii: bool = False, stream: TextIO | None = None) -> None:
        self._as_json = log_format == "json"
        self._show_pii = show_pii
        # None where standard error was closed before Python started.
        self._stream: TextIO | None = stream or sys.stderr

    def __call__(self, event: Event) -> None:
        shown = event if self._show_pii else masked(event)
        level, text = line_of(shown)
        line = _json(shown, level) if self._as_json else f"{to_iso(event.at)} {level} {on_one_line(text)}"
        if self._stream is None:
            return
        # The request that the line is about goes on when the disk is full, the reader has left or the stream is closed.
        with suppress(OSError, ValueError):
            self._stream.write(line + "\n")
            self._stream.flush()


def _json(event: Event, level: str) -> str:
    shown = {each.name: getattr(event, each.name) for each in fields(event) if each.name not in _NEVER}
    head = {"at": to_iso(event.at), "level": level, "event": type(event).__name__}
    return whole_characters(json.dumps({**head, **shown}, ensure_ascii=False))
