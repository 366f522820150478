"""A recording: a file with one GraphQL request and its response a line, without personal data.

    {"format": 1, "at": "2026-06-14T12:00:00.000Z", "upstream": "https://…/graphql", "token": "token-1",
     "accept": "application/json", "request": {"query": "…", "variables": {…}},
     "status": 200, "headers": {"content-type": "application/json"}, "response": {…}}

`token` is a label, the same for requests with the same token, or null. A body that is not a JSON object is kept as a
string under `requestText` or `responseText`.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from types import MappingProxyType
from typing import Any, Final

from emulator.clock import to_iso
from emulator.errors import InputError, UserMistake, unwritable
from emulator.faults import RequestSummary
from emulator.harness.recordings.pseudonyms import Pseudonyms
from emulator.schemas import NESTING_LIMIT, is_deeper_than
from emulator.stackadapt import Limits, parse_body
from emulator.text_files import lines_of
from emulator.timestamps import parse_zoned

FORMAT: Final = 1
# Characters of a header that every client can send.
_HEADER: Final = re.compile(r"[\t -~]*")
_REQUIRED = ("at", "token", "status", "headers")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A request and its response. Bodies are JSON objects, or strings when they are anything else."""

    at: datetime
    upstream: str
    token: str | None
    accept: str
    request: Mapping[str, Any] | str
    status: int
    headers: Mapping[str, str]
    response: Mapping[str, Any] | str

    def as_line(self) -> str:
        """The exchange as a line of JSON, ASCII only."""
        line = {
            "format": FORMAT,
            "at": to_iso(self.at),
            "upstream": self.upstream,
            "token": self.token,
            "accept": self.accept,
            _key("request", self.request): self.request,
            "status": self.status,
            "headers": dict(self.headers),
            _key("response", self.response): self.response,
        }
        return json.dumps(line) + "\n"


def read_exchanges(path: Path) -> Iterator[tuple[int, Exchange]]:
    """The exchanges of a recording with their line numbers. A truncated last line is omitted.

    Raises InputError with file and line.
    """
    for number, line in enumerate(lines_of(path), start=1):
        if line.strip() and not _is_truncated(line):
            yield number, _parsed(line, f"{path}:{number}")


def request_summary(exchange: Exchange) -> RequestSummary | None:
    """Root fields, advertisers, and whether it is a mutation; None for an unreadable request."""
    parsed = parse_body(json.dumps(exchange.request).encode(), Limits())
    return parsed.summary if parsed else None


def title_of(exchange: Exchange) -> str:
    """`mutation upsertProfiles`."""
    summary = request_summary(exchange)
    if summary is None:
        return "unreadable request"
    return f"{'mutation' if summary.mutates else 'query'} {', '.join(dict.fromkeys(summary.operations))}"


def body_of(text: str) -> Mapping[str, Any] | str:
    """A body as an exchange keeps it: parsed if it is a JSON object without duplicate keys and not too deep."""
    seen: list[bool] = []

    def unambiguous(members: list[tuple[str, Any]]) -> dict[str, Any]:
        parsed = dict(members)
        seen.append(len(parsed) == len(members))
        return parsed

    try:
        value = json.loads(text, object_pairs_hook=unambiguous)
    except (ValueError, RecursionError):
        return text
    readable = isinstance(value, dict) and all(seen) and not is_deeper_than(NESTING_LIMIT, value)
    return value if readable else text


def _key(name: str, body: Mapping[str, Any] | str) -> str:
    return f"{name}Text" if isinstance(body, str) else name


def _body(line: Mapping[str, Any], name: str) -> Any:
    return line[name] if name in line else line[f"{name}Text"]


def _is_truncated(line: str) -> bool:
    """Whether the writer was interrupted: only the last line can lack its newline."""
    if line.endswith("\n"):
        return False
    try:
        json.loads(line)
    except ValueError:
        return True
    return False


def _parsed(line: str, where: str) -> Exchange:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"a recorded exchange is not JSON: {error}", where=where) from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        version = found.get("format") if isinstance(found, dict) else type(found).__name__
        raise InputError("invalid format of a recorded exchange", where=where, found=version, allowed=str(FORMAT))
    _check_fields(found, where)
    return Exchange(
        at=datetime.fromisoformat(found["at"]).astimezone(UTC),
        upstream=found.get("upstream", ""),
        token=found["token"],
        accept=found.get("accept", "application/json"),
        request=_body(found, "request"),
        status=found["status"],
        headers=found["headers"],
        response=_body(found, "response"),
    )


def _check_fields(found: Mapping[str, Any], where: str) -> None:
    missing = [name for name in _REQUIRED if name not in found]
    missing += [name for name in ("request", "response") if name not in found and f"{name}Text" not in found]
    if missing:
        raise InputError(f"a recorded exchange has no {', '.join(missing)}", where=where)
    for name, (fits, allowed) in _FIELDS.items():
        if name in found and not fits(found[name]):
            message = f"invalid {name!r} of a recorded exchange"
            raise InputError(message, where=where, found=found[name], allowed=allowed)


def _are_headers(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(item, str) for item in value.values())


def _is(kind: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, kind)


def _is_header(value: Any) -> bool:
    return isinstance(value, str) and _HEADER.fullmatch(value) is not None


def _is_timestamp(value: Any) -> bool:
    return parse_zoned(value) is not None


# What each field must be. `token` and `accept` are sent as headers when a recording is replayed.
_FIELDS: Final[Mapping[str, tuple[Callable[[Any], bool], str]]] = MappingProxyType(
    {
        "at": (_is_timestamp, "a time with its zone, such as 2026-06-14T12:00:00.000Z"),
        "upstream": (_is(str), "a string"),
        "token": (
            lambda value: value is None or _is_header(value),
            "a label such as token-1, of printable ASCII, or null",
        ),
        "accept": (_is_header, "a string of printable ASCII"),
        "request": (_is(dict), "a JSON object"),
        "requestText": (_is(str), "a string"),
        "status": (lambda value: type(value) is int, "an integer"),
        "headers": (_are_headers, "a JSON object with string values"),
        "response": (_is(dict), "a JSON object"),
        "responseText": (_is(str), "a string"),
    }
)


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
            # First, since the token is hidden in everything else from here on.
            label, clean = self._label(token), self._pseudonyms
            kept = {name.lower(): value for name, value in headers.items() if KEPT_HEADERS.fullmatch(name)}
            exchange = Exchange(
                at=at,
                upstream=self._upstream,
                token=label,
                accept=clean.in_text(accept),
                request=clean.in_value(body_of(request)),
                status=status,
                headers=clean.in_value(kept),
                response=clean.in_value(body_of(response)),
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
