"""What went wrong at an endpoint, whoever it was about: for a failure that no person can be told from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from emulator.harness.client.endpoint import Endpoint
from emulator.harness.client.sentences import Shown, delivery_line, record_line, request_line
from emulator.harness.client.timeline import Timeline

_LOST = ("rejected", "retrying", "failed")
_MOST_USERS = 3
# A syntax error quotes what stands at its place.
_ADDRESS = re.compile(r"[^\s\"'@]+@[^\s\"'@]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """Events that did not get out of Segment, requests that StackAdapt refused, records that it rejected.

    A request that an event tells of already is not told of again.
    """

    deliveries: Sequence[Shown]
    requests: Sequence[Shown]
    records: Sequence[Shown]

    def __len__(self) -> int:
        return len(self.deliveries) + len(self.requests) + len(self.records)

    def beside(self, story: Timeline) -> Failures:
        """Those that a story does not tell."""
        told = [(each["messageId"], each["subscription"]) for each in story.deliveries]
        records = [(each["requestId"], each["index"]) for each in story.records]
        requests = [each["traceId"] for each in story.requests]
        return replace(
            self,
            deliveries=[each for each in self.deliveries if (each["messageId"], each["subscription"]) not in told],
            requests=[each for each in self.requests if each["traceId"] not in requests],
            records=[each for each in self.records if (each["requestId"], each["index"]) not in records],
        )

    def lines(self, *, most: int) -> Iterator[str]:
        """For a person, `most` lines and one that says how many were left out."""
        lines = (f"{line}{_whose([who])}" for line, who in self._lines(whole=True))
        yield from islice(lines, most)
        if len(self) > most:
            yield f"and {len(self) - most} more"

    def counted(self, *, most: int) -> Iterator[str]:
        """The kinds of trouble with how often and to whom each happened, most frequent first. No email address is in
        it.
        """
        kinds: dict[str, list[object]] = {}
        for line, who in self._lines(whole=False):
            kinds.setdefault(_ADDRESS.sub("***", line), []).append(who)
        ordered = sorted(kinds.items(), key=lambda kind: len(kind[1]), reverse=True)
        for line, users in ordered[:most]:
            yield f"{len(users):>3} x  {line}{_ADDRESS.sub('***', _whose(users))}"
        if len(kinds) > most:
            yield f"and {len(kinds) - most} more kinds"

    def _lines(self, *, whole: bool) -> Iterator[tuple[str, object]]:
        """Each trouble in a line, and the user id that it is about where one is known."""
        yield from ((f"Segment     {delivery_line(each)}", each["userId"]) for each in self.deliveries)
        yield from ((f"GraphQL     {request_line(each, near=whole)}", None) for each in self.requests)
        for each in self.records:
            # A whole record says itself whose it is.
            yield f"StackAdapt  {record_line(each, whole=whole)}", None if whole else each["record"].get("userId")


def _whose(users: Sequence[object]) -> str:
    """` (user u1, u2 and 3 more)`; nothing where nobody is known."""
    known = list(dict.fromkeys(str(user) for user in users if user is not None))
    if not known:
        return ""
    others = f" and {len(known) - _MOST_USERS} more" if len(known) > _MOST_USERS else ""
    return f" (user {', '.join(known[:_MOST_USERS])}{others})"


def failures_at(endpoint: Endpoint) -> Failures:
    """Everything that went wrong so far. Raises NoControl where there is no control API."""
    control = endpoint.control
    lost = [each for outcome in _LOST for each in control.pages("deliveries", "deliveries", outcome=outcome)]
    carried = {each["traceId"] for each in lost}
    requests = [each for each in control.pages("journal", "entries") if each["outcome"] != "accepted"]
    return Failures(
        deliveries=lost,
        requests=[each for each in requests if each["traceId"] not in carried],
        records=list(control.pages("rejections", "rejections")),
    )
