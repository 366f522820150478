"""The timeline of one profile, read from the control API after the fact.

Failed expectations, `trigger` and scenarios print the same timeline: events, their outcome at each stage, the profile.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any

from emulator.errors import InputError
from emulator.harness.client.control import Control
from emulator.harness.client.endpoint import Endpoint
from emulator.harness.client.lines import (
    Shown,
    body_in,
    delivery_line,
    profile_line,
    record_line,
    request_line,
)
from emulator.harness.client.refused import CameIn, came_in_at, is_same

_MOST_REASONS = 10
_COMPLETE = {"sent", "visible"}
_DELETIONS = ("deleteProfilesWithExternalIds", "deleteRawProfile", "deleteRawProfiles")


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """Everything known about one user. `requests` are GraphQL requests that were refused or returned user errors,
    `deletions` those that delete the user. `known` are the user's profiles in the Engage space, `explained` why they
    are in each audience and journey or not, `unsent` what of the workspace keeps a member's events from being sent.

    `came_in` is what came in over HTTP, and what of it was refused or dropped. `suppressed` are the user's ids whose
    calls Segment drops.
    """

    who: str
    came_in: CameIn
    known: Sequence[Shown]
    explained: Sequence[Shown]
    unsent: str | None
    deliveries: Sequence[Shown]
    records: Sequence[Shown]
    requests: Sequence[Shown]
    deletions: Sequence[Shown]
    profiles: Sequence[Shown]
    suppressed: Sequence[Shown] = ()

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
            came_in=self.came_in.since(before.came_in),
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
            **self.came_in.as_dict(),
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
        yield from (f"  Segment     {line}" for line in self._no_events())
        yield from (f"  Segment     {line}" for line in self.came_in.call_lines())
        for each in self.suppressed:
            yield f"  Segment     {each['userId']} is suppressed since {each['since']}: its calls are dropped"
        yield from (f"  Segment     {delivery_line(delivery)}" for delivery in self.deliveries)
        yield from (f"  GraphQL     {line}" for line in self.came_in.request_lines())
        yield from (f"  GraphQL     {request_line(request)}" for request in self.requests)
        yield from (f"  StackAdapt  {record_line(record)}" for record in self.records)
        yield from (f"  GraphQL     {request_line(deletion)} (deletion request)" for deletion in self.deletions)
        if not self.profiles:
            yield "  profile     none visible"
        yield from (f"  profile     {profile_line(profile)}" for profile in self.profiles)

    def _no_events(self) -> Iterator[str]:
        """Why there are no events; nothing where there are some."""
        if self.deliveries or self.records or self.requests or self.deletions:
            return
        if not self.known:
            yield from self.came_in.unknown_user()
            return
        ids = ", ".join(each["userId"] for each in self.known if each["userId"])
        audiences = ", ".join(sorted({key for each in self.known for key in each["audiences"]}))
        yield f"known{f' as {ids}' if ids else ''}, in {audiences or 'no audience'}: nothing to send"
        if self.unsent:
            yield self.unsent
        outside = [each for each in self.explained if each["failed"]]
        yield from map(_reason_line, outside[:_MOST_REASONS])
        if len(outside) > _MOST_REASONS:
            yield f"and {len(outside) - _MOST_REASONS} more"

    def __str__(self) -> str:
        return "\n".join(self.lines())


def _reason_line(explained: Shown) -> str:
    """`vip_customers: total_spent is "900 CAD" (string), needs a number ≥ 500`."""
    return f"{explained['audience'] or explained['journey']}: {'; '.join(explained['failed'])}"


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
    exchange_traces = {each["traceId"] for each in exchanges}
    is_known = bool(known or deliveries or records)

    def about(item: Shown) -> bool:
        """Whether a call or a refused request is about this user."""
        if "traceId" not in item:
            return item["userId"] in users or is_same(item["email"], email)
        sent = (each["record"] for each in item["records"])
        return item["traceId"] in exchange_traces or any(_is_about(record, users, email) for record in sent)

    return Timeline(
        suppressed=[each for user in sorted(users) for each in _suppressions(control, user)],
        came_in=came_in_at(control, given, about, is_known=is_known, except_for=deletion_traces),
        who=" ".join(filter(None, (email, f"({', '.join(sorted(users))})" if users else ""))),
        known=list(known.values()),
        explained=_explained(control, given) if known else [],
        unsent=_unsent(control, given) if _is_member(known) and not (deliveries or records) else None,
        deliveries=sorted(deliveries.values(), key=itemgetter("at")),
        records=records,
        requests=[
            each
            for each in exchanges
            if each["outcome"] != "accepted" and not each["refusal"] and each["traceId"] not in deletion_traces
        ],
        deletions=deletions,
        profiles=list(_profiles(control, users, email)),
    )


def delivery_key(delivery: Shown) -> tuple[str, object, object]:
    """What identifies a delivery: a call of a source has the same message id at every destination instance."""
    return delivery["messageId"], delivery["destination"], delivery["subscription"]


def record_key(record: Shown) -> tuple[str, object]:
    """What identifies a record."""
    return record["requestId"], record["index"]


def _pages_by(control: Control, path: str, key: str, given: Mapping[str, str]) -> Iterator[Any]:
    """The items that match any of the filters."""
    for name, value in given.items():
        yield from control.pages(path, key, **{name: value})


def _explained(control: Control, given: Mapping[str, str]) -> list[Shown]:
    """Why each of these profiles is in each audience and journey or not."""
    found = [
        each for name, value in given.items() for each in control.get("audiences/explain", **{name: value})["audiences"]
    ]
    return list({(each["profile"], each["audience"], each["journey"]): each for each in found}.values())


def _is_member(known: Mapping[str, Shown]) -> bool:
    return any(profile["audiences"] for profile in known.values())


def _unsent(control: Control, given: Mapping[str, str]) -> str | None:
    """What of the workspace keeps the events of a member from being sent: the switch, or what is missing."""
    stopped = control.get("why", **given)["stopped"]
    if stopped is None or stopped["stage"] != "destination":
        return None
    message, found = stopped["message"], stopped["found"]
    return f"{message} ({found})" if found else str(message)


def _deletions(control: Control, names: set[str], records: Sequence[Shown]) -> Iterator[Shown]:
    """The deletion requests that name the user. Segment may have deleted the user id, so records are consulted too."""
    recorded = {each["record"]["userId"] for each in records if isinstance(each["record"].get("userId"), str)}
    quoted = [json.dumps(name, ensure_ascii=False) for name in names | recorded]
    for operation in _DELETIONS:
        for exchange in _requests_with(control, operation):
            body = body_in(exchange["request"])
            request = f"{body.get('query')} {json.dumps(body.get('variables'), ensure_ascii=False)}"
            if any(name in request for name in quoted):
                yield exchange


def _profiles(control: Control, users: set[str], email: str | None) -> Iterator[Shown]:
    for each in control.pages("profiles", "profiles", email=email):
        if email is not None or users & set(each["externalIds"]):
            yield each


def _suppressions(control: Control, user_id: str) -> list[Shown]:
    return list(control.get("suppressions", userId=user_id)["suppressions"])


def _requests_with(control: Control, operation: str) -> list[Shown]:
    """The requests with a root field; none where the API version does not have it."""
    try:
        return list(control.pages("journal", "entries", operation=operation))
    except InputError:
        return []


def _is_about(record: Shown, users: set[str], email: str | None) -> bool:
    """Whether a record, as it was sent, belongs to this user: one that is not due yet cannot be found by email."""
    known = users | ({email.lower()} if email is not None else set())
    return any(isinstance(value, str) and (value in known or value.lower() in known) for value in record.values())
