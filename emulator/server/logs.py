"""The log: the events of a sandbox as lines of text or JSON on standard error.

It contains no tokens, and email addresses only on request.
"""

from __future__ import annotations

import json
import sys
from dataclasses import fields
from datetime import datetime
from typing import Any, TextIO

from emulator.clock import to_iso
from emulator.events import Event

# Bodies are in the journal.
_NEVER = ("at", "request", "response", "emails")
_PII = ("email",)
_MASK = "***"


class LogWriter:
    """Listens to a journal and writes one line for each event."""

    def __init__(self, log_format: str, *, show_pii: bool = False, stream: TextIO | None = None) -> None:
        self._as_json = log_format == "json"
        self._show_pii = show_pii
        self._stream = stream or sys.stderr

    def __call__(self, event: Event) -> None:
        shown = {
            field.name: self._value(field.name, getattr(event, field.name))
            for field in fields(event)
            if field.name not in _NEVER
        }
        line = self._json(event, shown) if self._as_json else self._text(event, shown)
        self._stream.write(line + "\n")
        self._stream.flush()

    def _value(self, name: str, value: Any) -> Any:
        if name in _PII and value is not None and not self._show_pii:
            return _MASK
        return to_iso(value) if isinstance(value, datetime) else value

    @staticmethod
    def _json(event: Event, shown: dict[str, Any]) -> str:
        return json.dumps({"at": to_iso(event.at), "event": type(event).__name__, **shown}, ensure_ascii=False)

    @staticmethod
    def _text(event: Event, shown: dict[str, Any]) -> str:
        known = " ".join(f"{name}={_plain(value)}" for name, value in shown.items() if value not in (None, ()))
        return f"{to_iso(event.at)} {type(event).__name__} {known}"


def _plain(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.1f}"
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if " " in text else text
