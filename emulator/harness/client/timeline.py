"""The timeline of one profile, and everything that failed at an endpoint, read from the control API after the fact.

Failed expectations, `trigger` and scenarios print the same timeline: events, their outcome at each stage, the profile.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from operator import itemgetter
from typing import Any

from emulator.harness.client.control import Control
from emulator.harness.client.endpoint import Endpoint
from emulator.harness.client.lines import Shown, body_in, delivery_line, profile_line, record_line, request_line

_COMPLETE = {"sent", "visible"}
_DELETIONS = ("deleteProfilesWithExternalIds", "deleteRawProfile", "deleteRawProfiles")


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """Everything known about one user. `requests` are GraphQL requests that were refused or returned user errors,
    `deletions` those that delete the user. `known` are the user's profiles in the Engage space.
    """

    who: str
    known: Sequence[Shown]
    deliveries: Sequence[Shown]
    records: Sequence[Shown]
    requests: Sequence[Shown]
    deletions: Sequence[Shown]
    profiles: Sequence[Shown]

    @property
    def arrived(self) -> bool:
        """Whether a profile is visible and nothing failed on the way."""
        outcomes = {each["outcome"] for each in (*self.deliveries, *self.records)}
        return bool(self.profiles) and outcomes <= _COMPLETE

    def since(self, before: Timeline) -> Timeline:
        """This timeline without what an earlier one of the same user contains."""
        deliveries, records = map(delivery_key, before.deliveries), map(record_key, before.records)
        seen = {*deliveries, *records, *(each["traceId"] for each in (*before.requests, *before.deletions))}
        return replace(
            self,
            deliveries=[each for each in self.deliveries if delivery_key(each) not in seen],
            records=[each for each in self.records if record_key(each) not in seen],
            requests=[each for each in self.requests if each["traceId"] not in seen],
            deletions=[each for each in self.deletions if each["traceId"] not in seen],
        )

    def as_dict(self) -> Shown:
        """The JSON form."""
        return {
            "who": self.who,
            "arrived": self.arrived,
            "deliveries": [
                {name: value for name, value in delivery.items() if name not in ("payload", "response")}
                for delivery in self.deliveries
            ],
            "records": list(self.records),
            "requests": [
                {name: request[name] for name in ("traceId", "operations", "status", "outcome", "response")}
                for request in self.requests
            ],
            "profiles": list(self.profiles),
        }

    def lines(self) -> Iterator[str]:
        """The text form: what happened at each stage, in order."""
        yield self.who
        if not (self.deliveries or self.records or self.requests or self.deletions):
            yield f"  Segment     {self._no_events()}"
        yield from (f"  Segment     {delivery_line(delivery)}" for delivery in self.deliveries)
        yield from (f"  GraphQL     {request_line(request)}" for request in self.requests)
        yield from (f"  StackAdapt  {record_line(record)}" for record in self.records)
        yield from (f"  GraphQL     {request_line(deletion)} (deletion request)" for deletion in self.deletions)
        if not self.profiles:
            yield "  profile     none visible"
        yield from (f"  profile     {profile_line(profile)}" for profile in self.profiles)

    def _no_events(self) -> str:
        """Why there are no events."""
        if not self.known:
            return "no events, and no other client sent a record to StackAdapt"
        ids = ", ".join(each["userId"] for each in self.known if each["userId"])
        audiences = ", ".join(sorted({key for each in self.known for key in each["audiences"]}))
        return f"known{f' as {ids}' if ids else ''}, in {audiences or 'no audience'}: nothing to send"

    def __str__(self) -> str:
        return "\n".join(self.lines())


def timeline_of(endpoint: Endpoint, *, email: str | None = None, user_id: str | None = None) -> Timeline:
    """The timeline of the user with this email or user id. Raises NoControl where there is no control API."""
    control = endpoint.control
    given = {name: value for name, value in (("userId", user_id), ("email", email)) if value is not None}
    deliveries = {delivery_key(each): each for each in _pages_by(control, "deliveries", "deliveries", given)}
    known = {each["id"]: each for each in _pages_by(control, "space/profiles", "profiles", given)}
    users = {each["userId"] for each in (*deliveries.values(), *known.values()) if each["userId"]}
    users |= {user_id} if user_id else set()
    exchanges = [] if email is None else list(control.pages("journal", "entries", email=email))
    records = [] if email is None else list(control.pages("records", "records", email=email))
    traces = [each["traceId"] for each in (*deliveries.values(), *exchanges) if each["traceId"]]
    for trace_id in dict.fromkeys(traces):
        sent = control.pages("records", "records", requestId=trace_id)
        records += [each for each in sent if _is_about(each["record"], users, email) and each not in records]
    for user in sorted(users):
        # Another client may have sent them, and one without an email may be rejected or wait.
        sent = control.pages("records", "records", externalId=user)
        records += [each for each in sent if each not in records]
    deletions = list(_deletions(control, users | ({email} if email else set()), records))
    deletion_traces = [each["traceId"] for each in deletions]
    return Timeline(
        who=" ".join(filter(None, (email, f"({', '.join(sorted(users))})" if users else ""))),
        known=list(known.values()),
        deliveries=sorted(deliveries.values(), key=itemgetter("at")),
        records=records,
        requests=[
            each for each in exchanges if each["outcome"] != "accepted" and each["traceId"] not in deletion_traces
        ],
        deletions=deletions,
        profiles=[
            each
            for each in control.pages("profiles", "profiles", email=email)
            if email is not None or users & set(each["externalIds"])
        ],
    )


def delivery_key(delivery: Shown) -> tuple[str, object]:
    """What identifies a delivery."""
    return delivery["messageId"], delivery["subscription"]


def record_key(record: Shown) -> tuple[str, object]:
    """What identifies a record."""
    return record["requestId"], record["index"]


def _pages_by(control: Control, path: str, key: str, given: Mapping[str, str]) -> Iterator[Any]:
    """The items that match any of the filters."""
    for name, value in given.items():
        yield from control.pages(path, key, **{name: value})


def _deletions(control: Control, names: set[str], records: Sequence[Shown]) -> Iterator[Shown]:
    """The deletion requests that name the user. Segment may have deleted the user id, so records are consulted too."""
    recorded = {each["record"]["userId"] for each in records if isinstance(each["record"].get("userId"), str)}
    quoted = [json.dumps(name, ensure_ascii=False) for name in names | recorded]
    for operation in _DELETIONS:
        for exchange in control.pages("journal", "entries", operation=operation):
            body = body_in(exchange["request"])
            request = f"{body.get('query')} {json.dumps(body.get('variables'), ensure_ascii=False)}"
            if any(name in request for name in quoted):
                yield exchange


def _is_about(record: Shown, users: set[str], email: str | None) -> bool:
    """Whether a record, as it was sent, belongs to this user: one that is not due yet cannot be found by email."""
    known = users | ({email.lower()} if email is not None else set())
    return any(isinstance(value, str) and (value in known or value.lower() in known) for value in record.values())


_UNDELIVERED = ("rejected", "retrying", "failed")
_MOST_USERS = 3
# A syntax error quotes the document around its location.
_ADDRESS = re.compile(r"[^\s\"'@]+@[^\s\"'@]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """Events that Segment did not deliver, requests that StackAdapt refused, and records that it rejected or that wait.

    A refused request that belongs to one of the events is not listed a second time.
    """

    deliveries: Sequence[Shown]
    requests: Sequence[Shown]
    records: Sequence[Shown]

    def __len__(self) -> int:
        return len(self.deliveries) + len(self.requests) + len(self.records)

    def excluding(self, timeline: Timeline) -> Failures:
        """Those that are not part of a timeline."""
        deliveries, records = map(delivery_key, timeline.deliveries), map(record_key, timeline.records)
        shown = {*deliveries, *records, *(each["traceId"] for each in timeline.requests)}
        return replace(
            self,
            deliveries=[each for each in self.deliveries if delivery_key(each) not in shown],
            requests=[each for each in self.requests if each["traceId"] not in shown],
            records=[each for each in self.records if record_key(each) not in shown],
        )

    def lines(self, *, most: int) -> Iterator[str]:
        """At most `most` failures, one a line, then the number of those left out."""
        yield from islice((f"{line}{_affected([user])}" for line, user in self._lines(whole=True)), most)
        if len(self) > most:
            yield f"and {len(self) - most} more"

    def counted(self, *, most: int) -> Iterator[str]:
        """The kinds of failure, most frequent first, with their counts and the affected users, without emails."""
        kinds: dict[str, list[object]] = {}
        for line, user in self._lines(whole=False):
            kinds.setdefault(_ADDRESS.sub("***", line), []).append(user)
        ordered = sorted(kinds.items(), key=lambda kind: len(kind[1]), reverse=True)
        for line, users in ordered[:most]:
            yield f"{len(users):>3} x  {line}{_ADDRESS.sub('***', _affected(users))}"
        if len(kinds) > most:
            yield f"and {len(kinds) - most} more kinds"

    def _lines(self, *, whole: bool) -> Iterator[tuple[str, object]]:
        """Each failure as a line, and the user id that it affects where it is known."""
        yield from ((f"Segment     {delivery_line(each)}", each["userId"]) for each in self.deliveries)
        yield from ((f"GraphQL     {request_line(each, near=whole)}", None) for each in self.requests)
        for each in self.records:
            # A whole record contains its user id.
            yield f"StackAdapt  {record_line(each, whole=whole)}", None if whole else each["record"].get("userId")


def _affected(users: Sequence[object]) -> str:
    """` (user u1, u2 and 3 more)`; empty when no user is known."""
    known = list(dict.fromkeys(str(user) for user in users if user is not None))
    if not known:
        return ""
    others = f" and {len(known) - _MOST_USERS} more" if len(known) > _MOST_USERS else ""
    return f" (user {', '.join(known[:_MOST_USERS])}{others})"


def failures_at(endpoint: Endpoint) -> Failures:
    """Everything that failed so far. Raises NoControl where there is no control API."""
    control = endpoint.control
    deliveries = [
        each for outcome in _UNDELIVERED for each in control.pages("deliveries", "deliveries", outcome=outcome)
    ]
    traces = {each["traceId"] for each in deliveries}
    return Failures(
        deliveries=deliveries,
        requests=[
            each
            for each in control.pages("journal", "entries")
            if each["outcome"] != "accepted" and each["traceId"] not in traces
        ],
        records=list(control.pages("rejections", "rejections", pending="true")),
    )
