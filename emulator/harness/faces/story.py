"""The story of one person: what was emitted about them, what became of it on the way, whether a profile is visible.

Read off the control API after the fact, so that a failed expectation, a command and a scenario all tell the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from emulator.harness.faces.endpoint import Endpoint

Shown = dict[str, Any]

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
        yield from (f"  Segment     {_delivery(delivery)}" for delivery in self.deliveries)
        yield from (f"  GraphQL     {_request(request)}" for request in self.requests)
        yield from (f"  StackAdapt  {_record(record)}" for record in self.records)
        if not self.profiles:
            yield "  profile     none is visible"
        yield from (f"  profile     {_profile(profile)}" for profile in self.profiles)

    def __str__(self) -> str:
        return "\n".join(self.lines())


def tell(endpoint: Endpoint, *, email: str | None = None, user_id: str | None = None) -> Story:
    """The story of the person with this e-mail or user id. Raises NoControl where there is no control API."""
    control = endpoint.control
    deliveries: dict[tuple[str, str], Shown] = {}
    for name, value in (("userId", user_id), ("email", email)):
        if value is not None:
            found = control.pages("deliveries", "deliveries", **{name: value})
            deliveries |= {(each["messageId"], each["subscription"]): each for each in found}
    users = {each["userId"] for each in deliveries.values() if each["userId"]} | ({user_id} if user_id else set())
    records = list(control.pages("records", "records", email=email)) if email is not None else []
    for trace_id in dict.fromkeys(each["traceId"] for each in deliveries.values() if each["traceId"]):
        carried = control.pages("records", "records", requestId=trace_id)
        records += [each for each in carried if each["record"].get("userId") in users and each not in records]
    requests = [] if email is None else list(control.pages("journal", "entries", email=email))
    return Story(
        who=" ".join(filter(None, (email, f"({', '.join(sorted(users))})" if users else ""))),
        deliveries=list(deliveries.values()),
        records=records,
        requests=[request for request in requests if request["outcome"] != "accepted"],
        profiles=list(_profiles(endpoint, email, users)),
    )


def _profiles(endpoint: Endpoint, email: str | None, users: set[str]) -> Iterator[Shown]:
    for profile in endpoint.control.pages("profiles", "profiles", email=email):
        if email is not None or users & set(profile["externalIds"]):
            yield profile


def _delivery(delivery: Shown) -> str:
    name = f"{delivery['type']} {delivery['event']!r}" if delivery["event"] else delivery["type"]
    text = f"{name} to {delivery['destination']!r}: {delivery['outcome']}{_why(delivery)}"
    if delivery["outcome"] == "failed" and delivery["segmentReports"] == "delivered":
        text += " (Segment would report this as delivered)"
    return text


def _request(request: Shown) -> str:
    status = "no answer" if request["status"] is None else request["status"]
    text = f"{', '.join(request['operations']) or 'unreadable document'}: {request['outcome']}, {status}"
    return "; ".join([text, *_complaints(request["response"])])


def _complaints(response: str) -> Iterator[str]:
    """The messages of a GraphQL answer's errors and user errors."""
    try:
        body = json.loads(response)
    except ValueError:
        return
    answers = [answer for answer in (body.get("data") or {}).values() if isinstance(answer, dict)]
    for error in [*body.get("errors", ()), *(each for answer in answers for each in answer.get("userErrors", ()))]:
        yield str(error["message"])


def _record(record: Shown) -> str:
    way = " ".join(str(record["record"][name]) for name in ("action", "audienceName") if name in record["record"])
    text = f"record{f' ({way})' if way else ''}: {record['outcome']}{_why(record)}"
    if record["waitsFor"]:
        text += f", waits for {record['waitsFor']}"
    return text if record["at"] else f"{text}, due {record['dueAt']}"


def _why(item: Shown) -> str:
    return "".join([f", {item['reason']}" if item["reason"] else "", f": {item['message']}" if item["message"] else ""])


def _profile(profile: Shown) -> str:
    audiences = (
        ", ".join(f"{audience['name']} ({audience['id']})" for audience in profile["audiences"]) or "no audience"
    )
    return (
        f"{profile['email']} of advertiser {profile['advertiserId']}, visible since {profile['visibleAt']}, "
        f"{profile['marketingStatus']}, in {audiences}"
    )
