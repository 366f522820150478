"""What the destination sends and what it takes for an answer.

`Send` is the seam: whoever calls the destination passes a function that takes an OutgoingRequest and gives a Reply.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from emulator.mapping.javascript.values import UNDEFINED, parse_json


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingRequest:
    """An HTTP request, header names in lower case. The token is kept out of `repr`."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An HTTP answer, read whole. Header names in any case. `url` is where it came from, redirects followed."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: str
    url: str = ""

    @property
    def ok(self) -> bool:
        return 200 <= self.status <= 299

    def header(self, name: str) -> str:
        """The value of a header, by its name in lower case; empty when it is absent."""
        return next((value for key, value in self.headers.items() if key.lower() == name), "")


Send: TypeAlias = Callable[[OutgoingRequest], Reply]


def read_body(reply: Reply) -> object:
    """What the engine takes for the answer's `data`: the parsed JSON when it is declared as such, else UNDEFINED."""
    if "application/json" not in reply.header("content-type"):
        return reply.body
    try:
        return parse_json(reply.body)
    except ValueError:
        return UNDEFINED


def shown_body(reply: Reply) -> object:
    """What a result carries of an answer: parsed JSON, or the text when there is none or it is null."""
    parsed = read_body(reply)
    return reply.body if parsed is UNDEFINED or parsed is None else parsed
