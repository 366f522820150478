"""The events of a sandbox: one stream for the journal, the log, the terminal and reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from sys import getsizeof
from types import MappingProxyType
from typing import Any, Final

# The approximate size of an event without its strings.
_PLAIN_BYTES = 512

# Why a request to `/graphql` was refused before it ran, and how to say it.
REFUSALS: Final = MappingProxyType(
    {
        "no_token": "no token",
        "not_bearer": "the Authorization header has no Bearer token",
        "unknown_token": "unknown token",
        "expired_token": "expired token",
        "method_not_allowed": "the method is not POST",
        "body_too_large": "the body is too large",
        "invalid_body": "the body is not a GraphQL request",
        "invalid_fault": "the fault header is invalid",
        "unknown_path": "unknown path",
        "untrusted_host": "untrusted host name",
        "unreadable_sandbox": "the sandbox of this token cannot be read",
        "store_failed": "the data of the sandbox cannot be read or written",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened in a sandbox, at a time of its clock."""

    at: datetime

    @property
    def size(self) -> int:
        """The approximate number of bytes that it occupies."""
        return _PLAIN_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphQLExchanged(Event):
    """One request to `/graphql` and its response.

    `operations` are the root fields in document order (empty when the document could not be parsed); `token_name` is
    the workspace's name for the token, never the token; `status` is None without a response; `duration_ms` is real time
    plus the delays of faults; `matched` are the names of the faults that matched it, and `rateLimit`. `advertiser_ids`
    and `emails` are those in its arguments and records.

    `refusal` is why the request was refused before it ran, one of `REFUSALS`. `credential` is the fingerprint of what
    such a request sent as its token, None when it sent nothing.
    """

    trace_id: str
    token_name: str | None
    operations: tuple[str, ...]
    status: int | None
    request: str
    response: str
    duration_ms: float
    matched: tuple[str, ...] = ()
    advertiser_ids: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    method: str = "POST"
    path: str = "/graphql"
    refusal: str | None = None
    credential: str | None = None

    @property
    def size(self) -> int:
        emails = sum(map(getsizeof, self.emails)) + getsizeof(self.emails)
        return _PLAIN_BYTES + sum(map(getsizeof, (self.request, self.response, self.path))) + emails


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordProcessed(Event):
    """A record of an accepted request was processed: `visible`, or `rejected`, `suppressed` or `pending` with a reason
    code. A pending record is processed again when its profile exists. `index` is its position in the request, from 0.
    """

    trace_id: str
    advertiser_id: str
    outcome: str
    reason: str | None = None
    email: str | None = None
    index: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallReceived(Event):
    """A call to the Tracking API. `reason` is the discard code when it was rejected on ingest.

    A request that was refused has status 400 or above, `source` None when it belongs to no source, `message_id` None
    when its body could not be read, and `message`, the error in the response; `credential` is the fingerprint of the
    write key that it sent. A call that was filtered at source has a `message`, too. `user_id` and `email` are what the
    call says, personal data. `notes` say what is wrong with an accepted call, or was left out of it, a clause each.
    `content` is the call as it came in, so that it can be shown and run again; it is never logged.
    """

    source: str | None
    call: str
    message_id: str | None
    accepted: bool
    reason: str | None = None
    user_id: str | None = None
    email: str | None = None
    status: int = 200
    message: str | None = None
    credential: str | None = None
    notes: tuple[str, ...] = ()
    content: Mapping[str, Any] | None = field(default=None, repr=False)

    @property
    def size(self) -> int:
        # A sender may send any text.
        texts = (self.message_id, self.user_id, self.email, self.message, *self.notes)
        return _PLAIN_BYTES + sum(map(getsizeof, texts)) + _bytes_of(self.content)

    @property
    def event(self) -> str | None:
        """The name of the event of a track call, or of a page or a screen."""
        content = self.content or {}
        name = content.get("event") or content.get("name")
        return name if isinstance(name, str) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class MembershipChanged(Event):
    """A profile entered or exited an audience, or a step of a journey; `audience_key` is the key of either.

    `user_id` and `email` are those that the profile got last, personal data.
    """

    audience_key: str
    profile_id: str
    entered: bool
    user_id: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchDelivered(Event):
    """One attempt to deliver a batch: how many events had each outcome, and the HTTP status if there was a response.

    `reasons` are the reason codes of those that were not sent, with their counts, and `user_ids` their users; `error`
    is the message of the batch, or of the first of them.
    `message_ids` are those of the events in the request, `trace_id` the request's id at an emulated StackAdapt.
    """

    destination: str
    subscription: str
    outcomes: dict[str, int]
    status: int | None
    error: str | None = None
    reasons: dict[str, int] = field(default_factory=dict)
    user_ids: tuple[str, ...] = ()
    message_ids: tuple[str, ...] = ()
    trace_id: str | None = None

    @property
    def size(self) -> int:
        return _PLAIN_BYTES + sum(map(getsizeof, (*self.user_ids, *self.message_ids)))


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockMoved(Event):
    """The clock was moved: `action` is `advanced`, by `seconds`, `frozen` or `resumed`. What became due on the way
    happened before.
    """

    action: str
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceChanged(Event):
    """The workspace was changed: `parts` are the top-level keys of its JSON form whose values are others."""

    parts: tuple[str, ...]


# Every kind of event, by its name in the feed. Whatever has to know all kinds reads this table.
KINDS: Final[Mapping[str, type[Event]]] = MappingProxyType(
    {
        "call": CallReceived,
        "membership": MembershipChanged,
        "delivery": BatchDelivered,
        "request": GraphQLExchanged,
        "record": RecordProcessed,
        "clock": ClockMoved,
        "workspace": WorkspaceChanged,
    }
)


def _bytes_of(value: Any) -> int:
    """The approximate number of bytes of a JSON value with everything in it; names of members are mostly shared."""
    size = getsizeof(value)
    if type(value) is dict:
        for inner in value.values():
            size += _bytes_of(inner)
    elif type(value) is list:
        for inner in value:
            size += _bytes_of(inner)
    return size
