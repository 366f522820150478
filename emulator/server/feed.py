"""The feed: every event of a sandbox in the order in which it happened, of chosen kinds, about one person.

Each event has a kind, the sentence that the log has for it, and its details. Bodies of requests are left to the
journal of `/graphql`, which a trace id finds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any

from emulator.clock import to_iso
from emulator.errors import unknown
from emulator.events import (
    KINDS,
    BatchDelivered,
    CallReceived,
    Event,
    GraphQLExchanged,
    MembershipChanged,
    RecordProcessed,
)
from emulator.journal import Following, Journal
from emulator.server.log_lines import line_of, masked
from emulator.server.services import SandboxServices
from emulator.stackadapt import outcome_of
from emulator.text import on_one_line, whole_characters

_NAMES = MappingProxyType({kind: name for name, kind in KINDS.items()})
_LEFT_OUT = frozenset({"at", "request", "response", "content"})
# Other names than those of the class, as the journal of `/graphql` has them.
_RENAMED = MappingProxyType({"token_name": "token", "matched": "faults"})
# More than this says nothing about one person.
_MOST = 1000

Shown = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What names a person: user ids, emails in lower case, ids of messages about them, trace ids of requests with
    them, and their records: trace id and position.
    """

    users: frozenset[str]
    emails: frozenset[str]
    messages: frozenset[str]
    requests: frozenset[str]
    records: frozenset[tuple[str, int]]

    def is_in(self, event: Event) -> bool:
        """Whether an event is about the person. A move of the clock is not, nor a workspace."""
        match event:
            case CallReceived() | MembershipChanged():
                message = getattr(event, "message_id", None)
                return event.user_id in self.users or _lower(event.email) in self.emails or message in self.messages
            case BatchDelivered():
                return not (self.users.isdisjoint(event.user_ids) and self.messages.isdisjoint(event.message_ids))
            case GraphQLExchanged():
                return event.trace_id in self.requests or any(_lower(each) in self.emails for each in event.emails)
            case RecordProcessed():
                return _lower(event.email) in self.emails or (event.trace_id, event.index) in self.records
        return False


def chosen_kinds(text: str | None) -> frozenset[type[Event]]:
    """The kinds in a list with commas; every one when there is none. Raises UnknownName."""
    names = [name.strip() for name in text.split(",")] if text is not None else [*KINDS]
    for name in names:
        if name not in KINDS:
            raise unknown("kind of event", name, KINDS, where="kinds")
    return frozenset(KINDS[name] for name in names)


def person_named(services: SandboxServices, name: str) -> Person:
    """The person with this email, this user id, or about whom the message with this id is."""
    segment, email = services.segment, name.lower()
    calls = [
        call
        for call in services.sandbox.journal.entries(CallReceived)
        if name in (call.user_id, call.message_id) or _lower(call.email) == email
    ]
    sent = segment.deliveries(message_id=name, limit=_MOST)
    users = {name, *_given(call.user_id for call in calls), *_given(each["userId"] for each in sent)}
    emails = {email, *_given(_lower(call.email) for call in calls)}
    space = [*_each(segment.profiles, "user_id", users), *_each(segment.profiles, "email", {name, *emails})]
    users |= {*_given(each["userId"] for each in space)}
    emails |= {*map(str.lower, _given(each["email"] for each in space))}
    sent += [*_each(segment.deliveries, "user_id", users), *_each(segment.deliveries, "email", emails)]
    stackadapt = services.stackadapt
    # Records have no other email, and each search reads all of them.
    by_email = _each(stackadapt.records, "email", (each for each in emails if "@" in each))
    records = [*by_email, *_each(stackadapt.records, "external_id", users)]
    return Person(
        users=frozenset(users),
        emails=frozenset(emails),
        messages=frozenset({name, *(each["messageId"] for each in sent)}),
        requests=frozenset(each["traceId"] for each in sent if each["traceId"]),
        records=frozenset((each["requestId"], each["index"]) for each in records),
    )


def page_of(
    journal: Journal,
    following: Following,
    *,
    kinds: Iterable[type[Event]],
    person: Person | None,
    limit: int,
    mask: bool,
) -> Shown:
    """`{"events", "next", "missed"}`: the first `limit` events that are wanted, and the cursor to go on from."""
    wanted = tuple(kinds)
    found: list[tuple[int, Event]] = []
    upto = following.last
    for number, event in following.events:
        if isinstance(event, wanted) and (person is None or person.is_in(event)):
            if len(found) == limit:
                break
            found.append((number, event))
    else:
        return _page(journal, found, upto, following, mask)
    return _page(journal, found, found[-1][0], following, mask)


def _page(journal: Journal, found: Sequence[tuple[int, Event]], upto: int, following: Following, mask: bool) -> Shown:
    missed = following.missed
    return {
        "events": [_shown(journal.cursor(number), masked(event) if mask else event) for number, event in found],
        "next": journal.cursor(upto),
        "missed": None if missed is None else {"reason": missed.reason, "events": missed.events},
    }


def _shown(cursor: str, event: Event) -> Shown:
    level, text = line_of(event)
    detail = {_json_name(name): value for name, value in _details(event)}
    if isinstance(event, GraphQLExchanged):
        detail["outcome"] = outcome_of(event)
    return {
        "cursor": cursor,
        "kind": _NAMES[type(event)],
        "at": to_iso(event.at),
        "level": level,
        "text": whole_characters(on_one_line(text)),
        "detail": detail,
    }


def _details(event: Event) -> Iterator[tuple[str, Any]]:
    for each in fields(event):
        if each.name not in _LEFT_OUT:
            value = getattr(event, each.name)
            yield each.name, list(value) if isinstance(value, tuple) else value


def _json_name(name: str) -> str:
    return re.sub("_([a-z])", lambda match: match[1].upper(), _RENAMED.get(name, name))


def _given(values: Iterable[Any]) -> Iterator[str]:
    """The texts: there may be none, and a damaged row may have something else."""
    return (value for value in values if isinstance(value, str))


def _each(read: Any, name: str, values: Iterable[str]) -> Iterator[Shown]:
    """What a query finds for any of the values."""
    for value in values:
        yield from read(**{name: value}, limit=_MOST)


def _lower(text: str | None) -> str | None:
    return None if text is None else text.lower()
