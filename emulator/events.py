"""The events of a sandbox: one stream for the journal, the log, the terminal and reports."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from sys import getsizeof

# The approximate size of an event without its strings.
_PLAIN_BYTES = 512


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

    @property
    def size(self) -> int:
        emails = sum(map(getsizeof, self.emails)) + getsizeof(self.emails)
        return _PLAIN_BYTES + getsizeof(self.request) + getsizeof(self.response) + emails


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordProcessed(Event):
    """A record of an accepted request was processed: `visible`, or `rejected`, `suppressed` or `pending` with a reason
    code. A pending record is processed again when its profile exists.
    """

    trace_id: str
    advertiser_id: str
    outcome: str
    reason: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallReceived(Event):
    """A call to the Tracking API. `reason` is the discard code when it was rejected on ingest."""

    source: str
    call: str
    message_id: str
    accepted: bool
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MembershipChanged(Event):
    """A profile entered or exited an audience, or a step of a journey; `audience_key` is the key of either."""

    audience_key: str
    profile_id: str
    entered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchDelivered(Event):
    """One attempt to deliver a batch: how many events had each outcome, and the HTTP status if there was a response."""

    destination: str
    subscription: str
    outcomes: dict[str, int]
    status: int | None
    error: str | None = None
