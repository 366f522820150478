"""The story of one person: what was emitted about them, what became of it on the way, whether a profile is visible.

Read off the control API after the fact, so that a failed expectation, a command and a scenario all tell the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter

from emulator.harness.client.endpoint import Endpoint
from emulator.harness.client.graphql_response import body_in
from emulator.harness.client.sentences import Shown, delivery_line, profile_line, record_line, request_line

# Ways to end that need no further words.
_GOOD = {"sent", "visible"}
_DELETIONS = ("deleteProfilesWithExternalIds", "deleteRawProfile", "deleteRawProfiles")


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """Everything known of one person. `requests` are those to GraphQL that were refused, or told of user errors,
    `deletions` those that asked to delete the person. `known` are the profiles of the Engage space.
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
        """Whether a profile is visible and nothing was lost on the way."""
        ends = [delivery["outcome"] for delivery in self.deliveries] + [record["outcome"] for record in self.records]
        return bool(self.profiles) and set(ends) <= _GOOD

    def since(self, before: Timeline) -> Timeline:
        """The same without what an earlier story of the same person had already."""
        told = {_delivery_key(each) for each in before.deliveries} | {_record_key(each) for each in before.records}
        asked = {each["traceId"] for each in (*before.requests, *before.deletions)}
        return replace(
            self,
            deliveries=[each for each in self.deliveries if _delivery_key(each) not in told],
            records=[each for each in self.records if _record_key(each) not in told],
            requests=[each for each in self.requests if each["traceId"] not in asked],
            deletions=[each for each in self.deletions if each["traceId"] not in asked],
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
        """For a person, in the order in which it happened."""
        yield self.who
        if not (self.deliveries or self.records or self.requests or self.deletions):
            yield f"  Segment     {self._silence()}"
        yield from (f"  Segment     {delivery_line(delivery)}" for delivery in self.deliveries)
        yield from (f"  GraphQL     {request_line(request)}" for request in self.requests)
        yield from (f"  StackAdapt  {record_line(record)}" for record in self.records)
        yield from (f"  GraphQL     {request_line(deletion)} (asks to delete them)" for deletion in self.deletions)
        if not self.profiles:
            yield "  profile     none is visible"
        yield from (f"  profile     {profile_line(profile)}" for profile in self.profiles)

    def _silence(self) -> str:
        """Why there is nothing to tell."""
        if not self.known:
            return "nothing was emitted about them, and nobody sent them to StackAdapt"
        ids = ", ".join(each["userId"] for each in self.known if each["userId"])
        audiences = ", ".join(sorted({key for each in self.known for key in each["audiences"]}))
        why = f"who is in {audiences}" if audiences else "for whom no audience's condition holds"
        return f"knows them{f' as {ids}' if ids else ''}, {why}: nothing to send"

    def __str__(self) -> str:
        return "\n".join(self.lines())


def timeline_of(endpoint: Endpoint, *, email: str | None = None, user_id: str | None = None) -> Timeline:
    """The story of the person with this email or user id. Raises NoControl where there is no control API."""
    control = endpoint.control
    deliveries: dict[tuple[str, object], Shown] = {}
    for name, value in (("userId", user_id), ("email", email)):
        if value is not None:
            found = control.pages("deliveries", "deliveries", **{name: value})
            deliveries |= {_delivery_key(each): each for each in found}
    known = list(_known(endpoint, email, user_id))
    users = {each["userId"] for each in (*deliveries.values(), *known) if each["userId"]}
    users |= {user_id} if user_id else set()
    exchanges = [] if email is None else list(control.pages("journal", "entries", email=email))
    records = [] if email is None else list(control.pages("records", "records", email=email))
    sent = [each["traceId"] for each in (*deliveries.values(), *exchanges) if each["traceId"]]
    for trace_id in dict.fromkeys(sent):
        carried = control.pages("records", "records", requestId=trace_id)
        records += [each for each in carried if _is_about(each["record"], users, email) and each not in records]
    deletions = list(_deletions(endpoint, users | ({email} if email else set()), records))
    told = [each["traceId"] for each in deletions]
    return Timeline(
        who=" ".join(filter(None, (email, f"({', '.join(sorted(users))})" if users else ""))),
        known=known,
        deliveries=sorted(deliveries.values(), key=itemgetter("at")),
        records=records,
        requests=[each for each in exchanges if each["outcome"] != "accepted" and each["traceId"] not in told],
        deletions=deletions,
        profiles=list(_profiles(endpoint, email, users)),
    )


def _delivery_key(delivery: Shown) -> tuple[str, object]:
    return delivery["messageId"], delivery["subscription"]


def _record_key(record: Shown) -> tuple[str, object]:
    return record["requestId"], record["index"]


def _known(endpoint: Endpoint, email: str | None, user_id: str | None) -> Iterator[Shown]:
    found: dict[str, Shown] = {}
    for name, value in (("userId", user_id), ("email", email)):
        if value is not None:
            found |= {
                each["id"]: each for each in endpoint.control.pages("space/profiles", "profiles", **{name: value})
            }
    yield from found.values()


def _deletions(endpoint: Endpoint, names: set[str], records: Sequence[Shown]) -> Iterator[Shown]:
    """The requests that name the person: Segment may have forgotten the user id, so records say which it was."""
    told = {each["record"]["userId"] for each in records if isinstance(each["record"].get("userId"), str)}
    quoted = [json.dumps(name, ensure_ascii=False) for name in names | told]
    for operation in _DELETIONS:
        for exchange in endpoint.control.pages("journal", "entries", operation=operation):
            body = body_in(exchange["request"])
            asked = f"{body.get('query')} {json.dumps(body.get('variables'), ensure_ascii=False)}"
            if any(name in asked for name in quoted):
                yield exchange


def _profiles(endpoint: Endpoint, email: str | None, users: set[str]) -> Iterator[Shown]:
    for profile in endpoint.control.pages("profiles", "profiles", email=email):
        if email is not None or users & set(profile["externalIds"]):
            yield profile


def _is_about(record: Shown, users: set[str], email: str | None) -> bool:
    """Whether a record as it was sent is this person's: one that waits for its latency has no email to find it by."""
    known = users | ({email.lower()} if email is not None else set())
    return any(isinstance(value, str) and (value in known or value.lower() in known) for value in record.values())
