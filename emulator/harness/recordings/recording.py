"""A recording as it grows: one file, one line an exchange, nothing in it that tells who somebody is."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Final

from emulator.errors import InputError, UserMistake
from emulator.harness.recordings.exchange import Exchange, body_of
from emulator.harness.recordings.pseudonyms import Pseudonyms

# What StackAdapt says beside the body; nothing else of an answer's head is kept, and of a request's only `Accept`.
KEPT_HEADERS: Final = re.compile(r"content-type|retry-after|(?:x-)?rate-?limit.*", re.IGNORECASE)


class Recording:
    """Writes exchanges to a new file that only its owner can read. Safe to share between threads.

    `key` decides the pseudonyms and should be forgotten with this object. Each exchange is on the disk, whole, when
    `keep` returns; a crash can at most cut off the last line. Raises UserMistake when the file exists: another run has
    another key, and the pseudonyms of two runs do not fit together. Raises InputError when it cannot be made.
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
            hint = "Name a new one: pseudonyms of two recordings do not fit together."
            raise UserMistake("this file exists already", where=str(path), hint=hint) from None
        except OSError as error:
            raise InputError(f"this file cannot be written: {error.strerror}", where=str(path)) from None
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
        """Appends one exchange, made safe. `token` is the bearer token or None; bodies are as they were on the wire."""
        with self._lock:
            exchange = self._safe(
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

    def _safe(self, exchange: Exchange) -> Exchange:
        return Exchange(
            at=exchange.at,
            upstream=exchange.upstream,
            token=exchange.token,
            accept=self._pseudonyms.in_text(exchange.accept),
            request=self._pseudonyms.in_value(exchange.request),
            status=exchange.status,
            headers={name: self._pseudonyms.in_text(value) for name, value in exchange.headers.items()},
            response=self._pseudonyms.in_value(exchange.response),
        )
