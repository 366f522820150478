"""One GraphQL request and its answer, as a line of a recording.

    {"format": 1, "at": "2026-06-14T12:00:00.000Z", "upstream": "https://…/graphql", "token": "token-1",
     "accept": "application/json", "request": {"query": "…", "variables": {…}},
     "status": 200, "headers": {"content-type": "application/json"}, "response": {…}}

`token` is a label: requests with the same token have the same, requests without one have null. A body that is no JSON
object stands as text under `requestText` or `responseText`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from emulator.clock import to_iso
from emulator.errors import InputError
from emulator.schemas import is_deeper_than

FORMAT: Final = 1
_NESTING_LIMIT: Final = 64
# What HTTP lets a header say, as far as every client can send it.
_HEADER: Final = re.compile(r"[\t -~]*")
_REQUIRED = ("at", "token", "status", "headers")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A request and its answer. Bodies are JSON objects or, where they are something else, text."""

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
            _member("request", self.request): self.request,
            "status": self.status,
            "headers": dict(self.headers),
            _member("response", self.response): self.response,
        }
        return json.dumps(line) + "\n"


def read_exchanges(path: Path) -> Iterator[tuple[int, Exchange]]:
    """The exchanges of a recording with their line numbers. A last line that was cut short is left out.

    Raises InputError, naming file and line.
    """
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip() and not _is_cut_short(line):
                    yield number, _parsed(line, f"{path}:{number}")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"this recording cannot be read: {error}", where=str(path)) from None


def body_of(text: str) -> Mapping[str, Any] | str:
    """A body as an exchange keeps it: parsed when it is a JSON object that says no more and no less than the text."""
    seen: list[bool] = []

    def unambiguous(members: list[tuple[str, Any]]) -> dict[str, Any]:
        parsed = dict(members)
        seen.append(len(parsed) == len(members))
        return parsed

    try:
        value = json.loads(text, object_pairs_hook=unambiguous)
    except (ValueError, RecursionError):
        return text
    readable = isinstance(value, dict) and all(seen) and not is_deeper_than(_NESTING_LIMIT, value)
    return value if readable else text


def _member(name: str, body: Mapping[str, Any] | str) -> str:
    return f"{name}Text" if isinstance(body, str) else name


def _body(line: Mapping[str, Any], name: str) -> Any:
    return line[name] if name in line else line[f"{name}Text"]


def _is_cut_short(line: str) -> bool:
    """Whether the writer was stopped in the middle of a line: only the last can lack its end."""
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
        told = found.get("format") if isinstance(found, dict) else type(found).__name__
        raise InputError("this is no recorded exchange of a known format", where=where, found=told, allowed=str(FORMAT))
    _check_members(found, where)
    return Exchange(
        at=datetime.fromisoformat(found["at"]),
        upstream=found.get("upstream", ""),
        token=found["token"],
        accept=found.get("accept", "application/json"),
        request=_body(found, "request"),
        status=found["status"],
        headers=found["headers"],
        response=_body(found, "response"),
    )


def _check_members(found: Mapping[str, Any], where: str) -> None:
    missing = [name for name in _REQUIRED if name not in found]
    missing += [name for name in ("request", "response") if name not in found and f"{name}Text" not in found]
    if missing:
        raise InputError(f"a recorded exchange lacks {', '.join(missing)}", where=where)
    for name, (fits, allowed) in _MEMBERS.items():
        if name in found and not fits(found[name]):
            message = f"{name!r} of a recorded exchange cannot be read."
            raise InputError(message, where=where, found=found[name], allowed=allowed)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _is_status(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_header(value: Any) -> bool:
    return isinstance(value, str) and _HEADER.fullmatch(value) is not None


def _is_label(value: Any) -> bool:
    return value is None or _is_header(value)


def _are_headers(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_text, value.values()))


def _is_moment(value: Any) -> bool:
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except (TypeError, ValueError):
        return False


# What each member must be, and how that is told. `token` and `accept` are sent as headers when a recording is replayed.
_MEMBERS: Final[Mapping[str, tuple[Callable[[Any], bool], str]]] = MappingProxyType(
    {
        "at": (_is_moment, "a time with its zone, such as 2026-06-14T12:00:00.000Z"),
        "upstream": (_is_text, "a text"),
        "token": (_is_label, "a label such as token-1, of printable ASCII, or null"),
        "accept": (_is_header, "a text of printable ASCII"),
        "request": (_is_object, "a JSON object"),
        "requestText": (_is_text, "a text"),
        "status": (_is_status, "a whole number"),
        "headers": (_are_headers, "a JSON object of texts"),
        "response": (_is_object, "a JSON object"),
        "responseText": (_is_text, "a text"),
    }
)
