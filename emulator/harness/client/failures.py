"""Everything that failed at an endpoint: one a line, or counted in a table by reason and person."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from itertools import islice
from operator import itemgetter

from emulator.harness.client.endpoint import Endpoint
from emulator.harness.client.lines import Shown, delivery_line, named, record_line, request_line
from emulator.harness.client.refused import call_line, refused_calls
from emulator.harness.client.timeline import Timeline, delivery_key, record_key
from emulator.text import counted_noun, without_addresses

_UNDELIVERED = ("rejected", "retrying", "failed")
_UNACCEPTED = ("userErrors", "errors", "refused", "notGraphql", "noAnswer")
_HEADINGS = ("count", "stage", "who", "what and why")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """Calls that Segment refused or dropped, events that it did not deliver, requests that StackAdapt refused, and
    records that it rejected.

    A refused request that belongs to one of the events is not listed a second time.
    """

    calls: Sequence[Shown]
    deliveries: Sequence[Shown]
    requests: Sequence[Shown]
    records: Sequence[Shown]

    def __len__(self) -> int:
        return len(self.calls) + len(self.deliveries) + len(self.requests) + len(self.records)

    def __add__(self, other: Failures) -> Failures:
        return Failures(
            calls=[*self.calls, *other.calls],
            deliveries=[*self.deliveries, *other.deliveries],
            requests=[*self.requests, *other.requests],
            records=[*self.records, *other.records],
        )

    def since(self, before: Failures) -> Failures:
        """Those that were not there before, or not in this way: an event is tried again until it has failed."""
        return Failures(
            **{each.name: _without(getattr(self, each.name), getattr(before, each.name)) for each in fields(self)}
        )

    def excluding(self, timeline: Timeline) -> Failures:
        """Those that are not part of a timeline."""
        deliveries, records = map(delivery_key, timeline.deliveries), map(record_key, timeline.records)
        requests = (*timeline.requests, *timeline.came_in.refused_requests)
        shown = {*deliveries, *records, *(each["traceId"] for each in requests)}
        return replace(
            self,
            calls=[each for each in self.calls if each not in timeline.came_in.refused_calls],
            deliveries=[each for each in self.deliveries if delivery_key(each) not in shown],
            requests=[each for each in self.requests if each["traceId"] not in shown],
            records=[each for each in self.records if record_key(each) not in shown],
        )

    def lines(self, *, most: int) -> Iterator[str]:
        """At most `most` failures, one a line, then the number of those left out."""
        for each in islice(self._entries(), most):
            # A whole record, which cannot be attributed to a profile, contains its user.
            user = "" if each.stage == _STACKADAPT else named(each.users)
            yield f"{each.stage:<10}  {each.whole}{f' (user {user})' if user else ''}"
        if len(self) > most:
            yield f"and {len(self) - most} more"

    def table(self, *, most: int) -> Iterator[str]:
        """At most `most` kinds of failure, most frequent first, with counts and users, without email addresses."""
        kinds: dict[tuple[str, str], list[_Entry]] = {}
        for each in self._entries():
            kinds.setdefault((each.stage, without_addresses(each.kind)), []).append(each)
        ordered = sorted(kinds.items(), key=lambda kind: len(kind[1]), reverse=True)
        rows = [_HEADINGS]
        for (stage, what), entries in ordered[:most]:
            who = without_addresses(named([user for each in entries for user in each.users]))
            rows.append((str(len(entries)), stage, who or "-", what))
        wide = [max(len(row[column]) for row in rows) for column in range(3)]
        yield from (f"{row[0]:>{wide[0]}}  {row[1]:<{wide[1]}}  {row[2]:<{wide[2]}}  {row[3]}" for row in rows)
        if len(kinds) > most:
            yield f"and {counted_noun(len(kinds) - most, 'more kind')}"

    def _entries(self) -> Iterator[_Entry]:
        for each in self.calls:
            yield _Entry(_SEGMENT, call_line(each), call_line(each), _user(each))
        for each in self.deliveries:
            yield _Entry(_SEGMENT, delivery_line(each), delivery_line(each), _user(each))
        for each in self.requests:
            users = [user for item in each["records"] for user in _user(item["record"])]
            yield _Entry(_GRAPHQL, request_line(each), request_line(each, near=False), users)
        for each in self.records:
            yield _Entry(_STACKADAPT, record_line(each, whole=True), record_line(each), _user(each["record"]))


_SEGMENT, _GRAPHQL, _STACKADAPT = "Segment", "GraphQL", "StackAdapt"


@dataclass(frozen=True, slots=True)
class _Entry:
    """One failure: where, in full, without what differs in others of its kind, and the user ids or emails."""

    stage: str
    whole: str
    kind: str
    users: Sequence[object]


def _without(items: Sequence[Shown], others: Sequence[Shown]) -> list[Shown]:
    known = {json.dumps(each, sort_keys=True) for each in others}
    return [each for each in items if json.dumps(each, sort_keys=True) not in known]


def _user(item: Shown) -> list[object]:
    """The user id, else the email, of a call, an event or a record."""
    return [user for user in (item.get("userId") or item.get("email"),) if user]


def failures_at(endpoint: Endpoint) -> Failures:
    """Everything that failed so far. Raises NoControl where there is no control API."""
    control = endpoint.control
    deliveries = [
        each for outcome in _UNDELIVERED for each in control.pages("deliveries", "deliveries", outcome=outcome)
    ]
    traces = {each["traceId"] for each in deliveries}
    requests = [each for outcome in _UNACCEPTED for each in control.pages("journal", "entries", outcome=outcome)]
    return Failures(
        calls=refused_calls(control),
        deliveries=deliveries,
        requests=sorted((each for each in requests if each["traceId"] not in traces), key=itemgetter("at")),
        records=list(control.pages("rejections", "rejections", pending="true")),
    )
