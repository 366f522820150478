"""The story of one person: what was emitted about them, what became of it on the way, whether a profile is visible.

Read off the control API after the fact, so that a failed expectation, a command and a scenario all tell the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter

from emulator.harness.faces.endpoint import Endpoint
from emulator.harness.faces.sentences import Shown, delivery_line, profile_line, record_line, request_line

# Ways to end that need no further words.
_GOOD = {"sent", "visible"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Everything known of one person. `requests` are those to GraphQL that were refused, or told of user errors."""

    who: str
    deliveries: Sequence[Shown]
    records: Sequence[Shown]
    requests: Sequence[Shown]
    profiles: Sequence[Shown]

    @property
    def arrived(self) -> bool:
        """Whether a profile is visible and nothing was lost on the way."""
        ends = [delivery["outcome"] for delivery in self.deliveries] + [record["outcome"] for record in self.records]
        return bool(self.profiles) and set(ends) <= _GOOD

    def since(self, before: Story) -> Story:
        """The same without what an earlier story of the same person had already."""
        told = {_delivery_key(each) for each in before.deliveries} | {_record_key(each) for each in before.records}
        asked = {each["traceId"] for each in before.requests}
        return replace(
            self,
            deliveries=[each for each in self.deliveries if _delivery_key(each) not in told],
            records=[each for each in self.records if _record_key(each) not in told],
            requests=[each for each in self.requests if each["traceId"] not in asked],
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
        if not (self.deliveries or self.records or self.requests):
            yield "  Segment     nothing was emitted about them, and nobody sent them to StackAdapt"
        yield from (f"  Segment     {delivery_line(delivery)}" for delivery in self.deliveries)
        yield from (f"  GraphQL     {request_line(request)}" for request in self.requests)
        yield from (f"  StackAdapt  {record_line(record)}" for record in self.records)
        if not self.profiles:
            yield "  profile     none is visible"
        yield from (f"  profile     {profile_line(profile)}" for profile in self.profiles)

    def __str__(self) -> str:
        return "\n".join(self.lines())


def tell(endpoint: Endpoint, *, email: str | None = None, user_id: str | None = None) -> Story:
    """The story of the person with this e-mail or user id. Raises NoControl where there is no control API."""
    control = endpoint.control
    deliveries: dict[tuple[str, object], Shown] = {}
    for name, value in (("userId", user_id), ("email", email)):
        if value is not None:
            found = control.pages("deliveries", "deliveries", **{name: value})
            deliveries |= {_delivery_key(each): each for each in found}
    users = {each["userId"] for each in deliveries.values() if each["userId"]} | ({user_id} if user_id else set())
    exchanges = [] if email is None else list(control.pages("journal", "entries", email=email))
    records = [] if email is None else list(control.pages("records", "records", email=email))
    sent = [each["traceId"] for each in (*deliveries.values(), *exchanges) if each["traceId"]]
    for trace_id in dict.fromkeys(sent):
        carried = control.pages("records", "records", requestId=trace_id)
        records += [each for each in carried if _is_about(each["record"], users, email) and each not in records]
    return Story(
        who=" ".join(filter(None, (email, f"({', '.join(sorted(users))})" if users else ""))),
        deliveries=sorted(deliveries.values(), key=itemgetter("at")),
        records=records,
        requests=[exchange for exchange in exchanges if exchange["outcome"] != "accepted"],
        profiles=list(_profiles(endpoint, email, users)),
    )


def _delivery_key(delivery: Shown) -> tuple[str, object]:
    return delivery["messageId"], delivery["subscription"]


def _record_key(record: Shown) -> tuple[str, object]:
    return record["requestId"], record["index"]


def _profiles(endpoint: Endpoint, email: str | None, users: set[str]) -> Iterator[Shown]:
    for profile in endpoint.control.pages("profiles", "profiles", email=email):
        if email is not None or users & set(profile["externalIds"]):
            yield profile


def _is_about(record: Shown, users: set[str], email: str | None) -> bool:
    """Whether a record as it was sent is this person's: one that waits for its latency has no e-mail to find it by."""
    known = users | ({email.lower()} if email is not None else set())
    return any(isinstance(value, str) and (value in known or value.lower() in known) for value in record.values())
