"""Everything that both services know about one person or message, read in one go."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any, Protocol

from emulator.errors import InputError
from emulator.events import CallReceived, GraphQLExchanged
from emulator.harness.why.answer import Question
from emulator.sandbox import Sandbox
from emulator.segment import Segment
from emulator.stackadapt import StackAdapt
from emulator.timestamps import parse_timestamp
from emulator.workspace import Workspace

Shown = dict[str, Any]
# More than this says nothing about one person.
_MOST = 1000
_DELETIONS = frozenset({"deleteProfilesWithExternalIds", "deleteRawProfile", "deleteRawProfiles"})


class Services(Protocol):
    """Both services of a sandbox."""

    sandbox: Sandbox
    segment: Segment
    stackadapt: StackAdapt

    def advance(self, by: timedelta) -> None:
        """Moves the clock, and does what becomes due."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """`calls`, `requests` and `refused` are the newest of the journal; `space` are the person's profiles in Engage.

    `requests` name the person and come from any client; `refused` are all requests that were refused with 401.
    `segments` are those of the advertiser, `received` are all calls of anyone. `suppressed` are those of the person's
    user ids whose calls Segment drops.
    """

    question: Question
    workspace: Workspace
    now: datetime
    users: tuple[str, ...]
    emails: tuple[str, ...]
    received: Sequence[CallReceived]
    calls: Sequence[CallReceived]
    suppressed: Sequence[Shown]
    space: Sequence[Shown]
    audiences: Sequence[Shown]
    deliveries: Sequence[Shown]
    requests: Sequence[Shown]
    refused: Sequence[Shown]
    records: Sequence[Shown]
    deletions: Sequence[Shown]
    profiles: Sequence[Shown]

    @property
    def who(self) -> str:
        """The person, as answers name them."""
        users = ", ".join(self.users)
        if self.emails:
            return f"{self.emails[0]}{f' ({users})' if users else ''}"
        return users or f"message {self.question.message_id}"

    @property
    def started(self) -> datetime:
        """When the first of it happened."""
        texts = [each["receivedAt"] for each in self.records]
        texts += [each["at"] for each in (*self.deliveries, *self.requests)]
        times = [at for at in map(parse_timestamp, texts) if at is not None]
        return min([*times, *(call.at for call in self.calls), self.now])


def gather(question: Question, services: Services) -> Evidence:
    """Reads what is known about a person or a message. Raises InputError when the question names neither."""
    if not (question.email or question.user_id or question.message_id):
        raise InputError("whose profile is missing is not given", where="why", allowed="email, userId or messageId")
    segment, sandbox, shown = services.segment, services.sandbox, services.stackadapt.request_log.shown
    received = sandbox.journal.entries(CallReceived)
    emails, users = _identifiers(question, services, received)
    space = _unique(_each(segment.profiles, "user_id", users), _each(segment.profiles, "email", emails), key="id")
    users = _joined(users, (each["userId"] for each in space))
    emails = _joined(emails, (each["email"] for each in space))
    deliveries = _deliveries(question, services, users, emails)
    calls = [call for call in received if _is_by(call, question, users, emails)]
    exchanges = sandbox.journal.entries(GraphQLExchanged)
    own = [each for each in exchanges if _names(each, (*users, *emails))]
    traces = dict.fromkeys([each["traceId"] for each in deliveries] + [each.trace_id for each in own])
    records = list(_records(question, services, traces, users, emails))
    return Evidence(
        question=question,
        workspace=sandbox.workspace,
        now=sandbox.clock.now(),
        users=users,
        emails=emails,
        received=received,
        calls=calls,
        suppressed=list(_each(segment.suppressions, "user_id", _joined(users, (each.user_id for each in calls)))),
        space=space,
        audiences=[
            *(each for user in users for each in segment.explain_audiences(user_id=user)),
            *(each for email in emails if not users for each in segment.explain_audiences(email=email)),
        ],
        deliveries=sorted(deliveries, key=itemgetter("at")),
        requests=[shown(each) for each in own if not _DELETIONS & {*each.operations}],
        refused=[shown(each) for each in exchanges if each.status == 401 and each.token_name is None],
        records=records,
        deletions=[shown(each) for each in own if _DELETIONS & {*each.operations}],
        profiles=list(_profiles(services, users, emails)),
    )


def _identifiers(
    question: Question, services: Services, received: Iterable[CallReceived]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Emails and user ids of the question, and of the message that it names."""
    users = [question.user_id]
    emails = [question.email.strip().lower() if question.email else None]
    if question.message_id is not None:
        of_message = [call for call in received if call.message_id == question.message_id]
        sent = services.segment.deliveries(message_id=question.message_id)
        users += [*(call.user_id for call in of_message), *(each["userId"] for each in sent)]
        emails += [call.email for call in of_message]
        emails += [email for each in sent if (email := _email_of(each["payload"]))]
    return _joined((), emails), _joined((), users)


def _email_of(payload: Shown) -> str | None:
    for holder in (payload, payload.get("context")):
        traits = holder.get("traits") if isinstance(holder, dict) else None
        if isinstance(traits, dict) and isinstance(traits.get("email"), str):
            return str(traits["email"])
    return None


def _deliveries(question: Question, services: Services, users: Sequence[str], emails: Sequence[str]) -> list[Shown]:
    read = services.segment.deliveries
    found = [*_each(read, "user_id", users), *_each(read, "email", emails)]
    unique = list({(each["messageId"], each["subscription"], each["destination"]): each for each in found}.values())
    own = [each for each in unique if each["messageId"] == question.message_id]
    # A call's own message id is not that of the events that Engage made of it.
    return own if any(each["audienceKey"] for each in own) else unique


def _records(
    question: Question, services: Services, traces: Iterable[str | None], users: Sequence[str], emails: Sequence[str]
) -> Iterator[Shown]:
    """The records of the person, oldest first; for a message, only those of its request."""
    read, seen = services.stackadapt.records, set()
    names = {*users, *emails}
    # A request has up to thousands of records, of which the store reads those of the person only.
    own = [read(request_id=trace, mentions=sorted(names), limit=_MOST) for trace in traces if trace]
    by_trace = (each for found in own for each in found)
    by_email = _each(read, "email", () if question.message_id else emails)
    for record in sorted([*by_trace, *by_email], key=itemgetter("receivedAt", "index")):
        key = (record["requestId"], record["index"], record["advertiserId"])
        values = {str(value).strip() for value in record["record"].values() if isinstance(value, str | int)}
        if key not in seen and (record["email"] in names or names & (values | {value.lower() for value in values})):
            seen.add(key)
            yield record


def _profiles(services: Services, users: Sequence[str], emails: Sequence[str]) -> Iterator[Shown]:
    found = list(_each(services.stackadapt.profiles, "email", emails))
    found += _each(services.stackadapt.profiles, "external_id", users)
    yield from {(each["advertiserId"], each["email"]): each for each in found}.values()


def _each(read: Any, name: str, values: Iterable[str]) -> Iterator[Shown]:
    """What a query finds for any of the values."""
    for value in values:
        yield from read(**{name: value}, limit=_MOST)


def _unique(*found: Iterable[Shown], key: str) -> list[Shown]:
    return list({each[key]: each for some in found for each in some}.values())


def _joined(values: Iterable[str], more: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*values, *(value for value in more if value)]))


def _names(exchange: GraphQLExchanged, names: Iterable[str]) -> bool:
    """Whether a request quotes one of the names, in its document or in a variable, encoded or not."""
    if {*names} & {*exchange.emails}:
        return True
    text = exchange.request
    return any(
        re.search(rf"[\"\\]{re.escape(json.dumps(name)[1:-1])}[\"\\]", text, re.IGNORECASE) is not None
        for name in names
    )


def _is_by(call: CallReceived, question: Question, users: Sequence[str], emails: Sequence[str]) -> bool:
    if question.message_id is not None and call.message_id == question.message_id:
        return True
    return call.user_id in users or (call.email is not None and call.email.lower() in emails)
