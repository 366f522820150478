"""What happens in an emulator, as values. Journal, log, terminal and reports all listen to this one stream."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened in a sandbox at a moment of its clock."""

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphQLExchanged(Event):
    """One request to `/graphql` and its answer.

    `operations` are the root fields in document order (empty when the document could not be parsed); `token_name` is
    the workspace's name for the token, never the token; `duration_ms` is real time.
    """

    trace_id: str
    token_name: str | None
    operations: tuple[str, ...]
    status: int
    request: str
    response: str
    duration_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSettled(Event):
    """A record of an accepted request reached its end: `visible`, `rejected` or `suppressed` (with a reason code)."""

    trace_id: str
    advertiser_id: str
    outcome: str
    reason: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallReceived(Event):
    """A call entered through the Tracking API. `reason` is the discard code when it failed on ingest."""

    source: str
    call: str
    message_id: str
    accepted: bool
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MembershipChanged(Event):
    """A profile entered or left an audience."""

    audience_key: str
    profile_id: str
    entered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchDelivered(Event):
    """One attempt to deliver a batch: how many events of each outcome, and the HTTP status if an answer came."""

    destination: str
    subscription: str
    outcomes: dict[str, int]
    status: int | None
    error: str | None = None
