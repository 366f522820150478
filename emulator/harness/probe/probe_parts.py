"""What a probe is, as data: requests, the rows of the ledger that it settles, and a function of the answers.

A string in a request may have marks, which are filled before it is sent: `<advertiser>` and `<token>` as given,
`<mail a>` and `<id a>` for made addresses and ids, `<now>`, and `<create:data.path.0.id>` for a value in the answer to
the request `create` of the same probe.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from emulator.harness.recordings import body_of
from emulator.text import on_one_line

BEARER: Final = "Bearer <token>"
JSON: Final = "application/json"
# Ids that no account of a token is likely to have; the advertiser that is probed is another one.
FOREIGN: Final = ("1", "987654321")
# Of the request headers none is kept; of the response headers those that say something about limits.
_LIMIT_HEADER: Final = re.compile(r"retry-after|.*rate-?limit.*", re.IGNORECASE)
_UNKNOWN: Final = re.compile(
    r"^(Cannot query field|Unknown (type|argument|directive)|Field .* is not defined|Variable .* got invalid value)"
)
_MARK: Final = re.compile(r"<([a-z-]+)([ :])?([^<>\s]+)?>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An HTTP request. `body` is the JSON object, or the text of the body; `in_url` makes it a GET with that query.

    `path` is another path at the endpoint's host than its own. `harmless` says that no server can read a change of data
    in it, although it is not a readable query.
    """

    name: str
    body: Mapping[str, Any] | str
    accept: str = JSON
    content_type: str | None = JSON
    authorization: str | None = BEARER
    in_url: bool = False
    path: str | None = None
    harmless: bool = False

    @property
    def recordable(self) -> bool:
        """Whether the format of recordings can say what was sent."""
        usual = self.content_type == JSON and self.authorization in (BEARER, None)
        return usual and not self.in_url and self.path is None


def query(name: str, document: str, *, also: Mapping[str, Any] | None = None, **variables: Any) -> Request:
    """A GraphQL request; `also` are further members of the body."""
    body: dict[str, Any] = {"query": " ".join(document.split())}
    if variables:
        body["variables"] = variables
    return Request(name=name, body={**body, **(also or {})})


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """Requests that are sent once, then `look`, which are sent until the made people `appear`, for four hours at most.

    With `whole`, they are sent for all of that time, since what matters is what does not appear. Without those who must
    appear, what is absent shows nothing.
    """

    send: tuple[Request, ...]
    look: tuple[Request, ...] = ()
    appear: tuple[str, ...] = ()
    whole: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeResponse:
    """A response: `headers` are those about limits, with lower-case names."""

    status: int
    headers: Mapping[str, str]
    text: str
    at: datetime

    @property
    def body(self) -> Mapping[str, Any]:
        """The JSON object in it; empty for anything else."""
        found = body_of(self.text)
        return found if isinstance(found, Mapping) else {}

    @property
    def errors(self) -> list[Mapping[str, Any]]:
        """The errors of the envelope."""
        found = self.body.get("errors")
        return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []

    @property
    def message(self) -> str:
        """The text of the first error, on one line."""
        return on_one_line(str(self.errors[0].get("message"))) if self.errors else ""

    def at_path(self, path: str) -> Any:
        """The value at `data.tokenInfo.name`; None where there is none."""
        found: Any = self.body
        for part in path.split("."):
            if isinstance(found, Mapping):
                found = found.get(part)
            elif isinstance(found, list) and part.isdigit():
                found = found[int(part)] if int(part) < len(found) else None
            else:
                return None
        return found

    def user_errors(self, field_name: str) -> list[Mapping[str, Any]] | None:
        """The user errors of a mutation; None when it has no payload."""
        found = self.at_path(f"data.{field_name}.userErrors")
        return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else None


def kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers of a response that an answer keeps."""
    return {name.lower(): value for name, value in headers.items() if _LIMIT_HEADER.fullmatch(name)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeResponses:
    """The newest answer to each request of a probe, by its name.

    `waited` is how many hours the made people of the first stage took to appear; None when they did not.
    """

    by_name: Mapping[str, ProbeResponse]
    waited: float | None = None

    def __getitem__(self, name: str) -> ProbeResponse:
        return self.by_name[name]

    def get(self, name: str) -> ProbeResponse | None:
        return self.by_name.get(name)

    def named(self, start: str) -> Iterator[ProbeResponse]:
        """The answers to the requests whose names begin like this."""
        return (answer for name, answer in self.by_name.items() if name.startswith(start))


@dataclass(frozen=True, slots=True)
class Seen:
    """What the answers show of a row: `text`, equal when it is the same behaviour.

    `value` is that of the row's setting, where it can be read off the answers.
    """

    text: str
    value: Any = None


def lacks_field(answer: ProbeResponse) -> bool:
    """Whether the served schema lacks what a document has that is valid by the contract."""
    return "data" not in answer.body and _UNKNOWN.search(answer.message) is not None


# None for a row of which the answers show nothing.
Observed = Mapping[str, "Seen | str | None"]
Observe = Callable[[ProbeResponses], Observed]


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """`rows` are the rows of the ledger that it can settle; `observe` says what the answers show of each.

    `needs` says what must be there for it to be played: `segment`, `burst`, `read-only`. `unseen` says why a row may
    show nothing. The rows `at_once` are settled whether or not people appear. `valid` says that every request fits
    the contract.
    """

    id: str
    title: str
    rows: tuple[str, ...]
    stages: tuple[Phase, ...]
    observe: Observe
    writes: bool = False
    needs: str | None = None
    unseen: str = "The answers do not show it."
    at_once: tuple[str, ...] = ()
    valid: bool = True

    @property
    def requests(self) -> tuple[Request, ...]:
        """Every request, in order."""
        return tuple(request for stage in self.stages for request in (*stage.send, *stage.look))


def filled(value: Any, fill: Callable[[str, str], str | None]) -> Any:
    """A value with its marks filled: `fill` gets the word of a mark and the rest of it; None leaves it as it is."""
    if isinstance(value, str):
        return _MARK.sub(lambda mark: fill(mark[1], mark[3] or "") or mark[0], value)
    if isinstance(value, Mapping):
        return {name: filled(item, fill) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [filled(item, fill) for item in value]
    return value


def text_of(body: Mapping[str, Any] | str) -> str:
    """A body as it is sent."""
    return body if isinstance(body, str) else json.dumps(body)
