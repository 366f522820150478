"""HTTP as the destination sees it: callers pass a `Send`, a function from OutgoingRequest to Response."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from emulator.mapping.javascript.values import UNDEFINED, parse_json


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingRequest:
    """An HTTP request, header names in lower case. `repr` omits the headers, which hold the token."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An HTTP response, header names in any case. `url` is the final one after redirects."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: str
    url: str = ""

    @property
    def ok(self) -> bool:
        return 200 <= self.status <= 299

    def header(self, name: str) -> str:
        """The value of a header by its lower-case name; empty if absent."""
        return next((value for key, value in self.headers.items() if key.lower() == name), "")


Send: TypeAlias = Callable[[OutgoingRequest], Response]


def read_body(response: Response) -> object:
    """The engine's `response.data`: parsed JSON (UNDEFINED if invalid) for a JSON content type, otherwise the text."""
    if "application/json" not in response.header("content-type"):
        return response.body
    try:
        return parse_json(response.body)
    except ValueError:
        return UNDEFINED


def result_body(response: Response) -> object:
    """The body in a result: parsed JSON, or the text if there is none or it is null."""
    parsed = read_body(response)
    return response.body if parsed is UNDEFINED or parsed is None else parsed
