"""Writes a recording: one file, one exchange a line, without personal data."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Final

from emulator.errors import UserMistake, unwritable
from emulator.harness.recordings.exchange import Exchange, body_of
from emulator.harness.recordings.pseudonyms import Pseudonyms

# The response headers that are kept; of the request headers only `Accept` is.
KEPT_HEADERS: Final = re.compile(r"content-type|retry-after|(?:x-)?rate-?limit.*", re.IGNORECASE)


class Recording:
    """Writes exchanges to a new file that only its owner can read. Thread-safe.

    `key` determines the pseudonyms and must not be stored. `keep` returns when the exchange is on disk; a crash can
    only truncate the last line. Raises UserMistake when the file exists, since the pseudonyms of two runs do not match,
    and InputError when it cannot be created.
    """

    def __init__(self, path: Path, *, upstream: str, key: str) -> None:
        self.path = path
        self.count = 0
        self._upstream = upstream
        self._pseudonyms = Pseudonyms(key)
        self._labels: dict[str, str] = {}
        self._lock = Lock()
        try:
            opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        except FileExistsError:
            hint = "Choose another file: the pseudonyms of two recordings do not match."
            raise UserMistake("this file exists already", where=str(path), hint=hint) from None
        except OSError as error:
            raise unwritable(path, error) from None
        self._file = os.fdopen(opened, "ab")

    def keep(
        self,
        *,
        at: datetime,
        token: str | None,
        accept: str,
        request: str,
        status: int,
        headers: Mapping[str, str],
        response: str,
    ) -> Exchange:
        """Appends one exchange without personal data. `token` is the bearer token; bodies are as they were sent."""
        with self._lock:
            exchange = self._without_personal_data(
                Exchange(
                    at=at,
                    upstream=self._upstream,
                    token=self._label(token),
                    accept=accept,
                    request=body_of(request),
                    status=status,
                    headers={name.lower(): value for name, value in headers.items() if KEPT_HEADERS.fullmatch(name)},
                    response=body_of(response),
                )
            )
            self._file.write(exchange.as_line().encode("ascii"))
            self._file.flush()
            os.fsync(self._file.fileno())
            self.count += 1
            return exchange

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def _label(self, token: str | None) -> str | None:
        if token is None:
            return None
        self._pseudonyms.hide(token)
        return self._labels.setdefault(token, f"token-{len(self._labels) + 1}")

    def _without_personal_data(self, exchange: Exchange) -> Exchange:
        clean = self._pseudonyms
        return replace(
            exchange,
            accept=clean.in_text(exchange.accept),
            request=clean.in_value(exchange.request),
            headers={name: clean.in_text(value) for name, value in exchange.headers.items()},
            response=clean.in_value(exchange.response),
        )
