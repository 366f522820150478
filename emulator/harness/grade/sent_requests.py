"""The requests that a client sent in one run, and which of them repeat one that failed."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Final

ACCEPTED: Final = "accepted"
# An outcome, and the fault that causes it.
USER_ERRORS: Final = "userErrors"
# Ids that a client may make anew for each attempt, in variables or in the document.
_OWN_IDS = re.compile(r'((?:syncId|clientMutationId)\\*"?\s*:\s*\\*")([^"\\]*)')
_LATE: Final = "latency"
_AT_LEAST = 500
_PHONE = "phone"
_DIGIT = re.compile(r"\d")
# A shorter number would be found in times and counts.
_FEWEST_DIGITS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What the journal leaves out of a request: its URL as it was sent, its headers by lower-case name, its times.

    `started` and `ended` are in seconds from the start of the run. `retry_after` is what the response said, in seconds.
    """

    url: str
    headers: Mapping[str, str]
    started: float
    ended: float
    retry_after: float | None = None


@dataclass(frozen=True, kw_only=True)
class SentRequest:
    """A request and how it ended. `number` counts from 1 in its run; `trace_id` is its own in the journal.

    `late` is the time until its response in seconds, where a fault delayed it.
    `outcome` and `status` are those of the journal; user errors count where the client did not select them, too.
    `can_write` is whether its token has WRITE, None when it is unknown. `records` are the people in it;
    `document` is the body, `response` that of the response.
    """

    number: int
    trace_id: str
    operations: tuple[str, ...]
    mutates: bool
    can_write: bool | None
    status: int | None
    outcome: str
    records: Sequence[Mapping[str, Any]]
    document: str
    response: str
    envelope: Envelope
    late: float | None = None

    @property
    def accepted(self) -> bool:
        """Whether it got what it asked for."""
        return self.outcome == ACCEPTED

    @property
    def started(self) -> float:
        """When it arrived, in seconds from the start of the run."""
        return self.envelope.started

    @property
    def server_failed(self) -> bool:
        """Whether the response was a status of 500 or above."""
        return self.status is not None and self.status >= _AT_LEAST

    @cached_property
    def emails(self) -> tuple[str, ...]:
        """The emails in its records, in lower case."""
        values = (value for record in self.records for value in record.values())
        return tuple(value.strip().lower() for value in values if isinstance(value, str) and "@" in value)

    @cached_property
    def phones(self) -> tuple[str, ...]:
        """The phone numbers in its records."""
        found = (value for record in self.records for key, value in record.items() if _PHONE in key.lower())
        return tuple(value for value in map(_stripped, found) if len(_DIGIT.findall(value)) >= _FEWEST_DIGITS)

    @cached_property
    def without_own_ids(self) -> str:
        """The body without the ids that differ from attempt to attempt."""
        return _OWN_IDS.sub(r"\1", self.document)

    def repeats(self, other: SentRequest) -> bool:
        """Whether it asks for the same as `other`: the same operations, with the same people or the same document."""
        if self.operations != other.operations:
            return False
        return self.without_own_ids == other.without_own_ids or (bool(self.emails) and self.emails == other.emails)

    def __str__(self) -> str:
        what = ", ".join(self.operations) or "no GraphQL request"
        return f"{what}: {self.outcome if self.status in (None, 200) else self.status}"


Attempts = Sequence[SentRequest]


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run of a client, or what a sandbox has seen of it.

    `exit_code` is None for a run that was stopped after its time limit (`stopped`), and for a client that only its
    requests are known of (`recorded`).
    """

    name: str
    requests: Sequence[SentRequest]
    exit_code: int | None = None
    output: str = field(default="", repr=False)
    error_output: str = field(default="", repr=False)
    stopped: bool = False
    recorded: bool = False
    seconds: float = 0.0

    @cached_property
    def attempts(self) -> Sequence[Attempts]:
        """The requests in their order, each with those that repeat it because it failed."""
        series: list[list[SentRequest]] = []
        failed: list[list[SentRequest]] = []
        for request in self.requests:
            same = next((each for each in reversed(failed) if request.repeats(each[-1])), None)
            if same is None:
                series.append(same := [])
            else:
                failed.remove(same)
            same.append(request)
            if not request.accepted:
                failed.append(same)
        return series


def sent_requests(
    entries: Iterable[Mapping[str, Any]],
    *,
    mutations: Collection[str],
    writing: Mapping[str, bool],
    envelopes: Mapping[str, Envelope] | None = None,
) -> list[SentRequest]:
    """The requests of a journal, in the order in which they arrived; without `envelopes`, in that of the journal.

    `entries` are those of `GET /_emulator/journal`; `mutations` the root fields that write; `writing` says of each
    token by name whether it has WRITE; `envelopes` are by trace id. Without them, URL and times are the journal's.
    """
    listed = [*entries]
    first = min((_started_at(each) for each in listed), default=0.0)
    found = [(entry, (envelopes or {}).get(entry["traceId"]) or _of_the_journal(entry, first)) for entry in listed]
    if envelopes is not None:
        # The journal has requests as they ended. Its times are too coarse to order them.
        found.sort(key=lambda each: each[1].started)
    return [
        SentRequest(
            number=number,
            trace_id=entry["traceId"],
            operations=tuple(entry["operations"]),
            mutates=any(name in mutations for name in entry["operations"]),
            can_write=writing.get(entry["token"]),
            status=entry["status"],
            outcome=_outcome(entry),
            records=[each["record"] for each in entry["records"]],
            document=entry["request"],
            response=entry["response"],
            envelope=envelope,
            late=entry["durationMs"] / 1000 if _LATE in entry["faults"] else None,
        )
        for number, (entry, envelope) in enumerate(found, start=1)
    ]


def _stripped(value: object) -> str:
    return str(value).strip()


def _outcome(entry: Mapping[str, Any]) -> str:
    """That of the journal, which reads the response: errors that the client did not select are not in it."""
    unread = entry["outcome"] == ACCEPTED and USER_ERRORS in entry["faults"]
    return USER_ERRORS if unread else str(entry["outcome"])


def _started_at(entry: Mapping[str, Any]) -> float:
    ended = datetime.fromisoformat(entry["at"])
    return ended.timestamp() - float(entry["durationMs"]) / 1000


def _of_the_journal(entry: Mapping[str, Any], first: float) -> Envelope:
    started = _started_at(entry) - first
    return Envelope(url=entry["path"], headers={}, started=started, ended=started + entry["durationMs"] / 1000)
