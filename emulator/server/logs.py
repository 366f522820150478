"""The log: the events of a sandbox as lines of text or JSON on standard error.

It contains no tokens and no bodies, and email addresses only on request.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import fields
from itertools import groupby
from typing import TextIO

from emulator.clock import to_iso
from emulator.events import Event, RecordProcessed
from emulator.server.log_lines import VISIBLE, line_of, line_of_visible, masked
from emulator.text import on_one_line, whole_characters

# Bodies are in the journal; the ids of a batch's events would fill the line.
_NEVER = ("at", "request", "response", "emails", "message_ids", "content", "index")


class LogWriter:
    """Listens to a journal and writes one line for each event; lines that cannot be written are dropped.

    The visible records of one request are one line: there may be thousands, and nothing is to be said about each.
    """

    def __init__(self, log_format: str, *, show_pii: bool = False, stream: TextIO | None = None) -> None:
        self._line = _json_line if log_format == "json" else _text_line
        self._show_pii = show_pii
        # None where standard error was closed before Python started.
        self._stream: TextIO | None = stream or sys.stderr

    def __call__(self, events: Sequence[Event]) -> None:
        if self._stream is None:
            return
        lines = [self._line_of([*group]) for _, group in groupby(events, _visible_in)]
        # The request that a line is about goes on when the disk is full, the reader has left or the stream is closed.
        with suppress(OSError, ValueError):
            self._stream.write("".join(f"{line}\n" for line in lines))
            self._stream.flush()

    def _line_of(self, group: Sequence[Event]) -> str:
        first = group[0] if self._show_pii else masked(group[0])
        return self._line(first, len(group))


def _visible_in(event: Event) -> object:
    """What the visible records of one request have in common; every other event is alone."""
    if isinstance(event, RecordProcessed) and event.outcome == VISIBLE:
        return event.trace_id, event.advertiser_id
    return id(event)


def _text_line(event: Event, count: int) -> str:
    level, text = line_of(event) if count == 1 else line_of_visible(event, count)
    return f"{to_iso(event.at)} {level} {on_one_line(text)}"


def _json_line(event: Event, count: int) -> str:
    level, _ = line_of(event)
    shown = {each.name: getattr(event, each.name) for each in fields(event) if each.name not in _NEVER}
    if count > 1:
        shown = {**shown, "email": None, "records": count}
    head = {"at": to_iso(event.at), "level": level, "event": type(event).__name__}
    return whole_characters(json.dumps({**head, **shown}, ensure_ascii=False))
