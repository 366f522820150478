"""What one side makes of the events and deletions: requests, records, and how they end in StackAdapt."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from http import HTTPStatus
from typing import Any

from graphql import validate

from emulator.events import Event, GraphQLExchanged
from emulator.harness.plan import Cause, EndState, Run, Who, emails_of
from emulator.harness.recorded_cases import Case, Outcome
from emulator.harness.upgrade.event_batches import EventBatch
from emulator.harness.upgrade.request_parts import Record, RequestParts, read_request
from emulator.harness.upgrade.sides import Side
from emulator.harness.why import OpenTrial, Trial
from emulator.segment.delivery.response import classify_response
from emulator.stackadapt.graphql.schema import API_VERSIONS, executable_schema
from emulator.transport import Response
from emulator.workspace import Workspace

REJECTED = "PAYLOAD_VALIDATION_FAILED"
_MISSED = "Payload is either invalid or does not match the subscription"
_NO_DELETION = "it sends no request for a deletion"


@dataclass(frozen=True, kw_only=True)
class SentBatch:
    """A batch, why each of its events is not in the request (None when it is), and the request's body.

    `refusal` is why StackAdapt did not accept the request.
    """

    batch: EventBatch
    stopped: tuple[str | None, ...]
    body: str | None
    refusal: str | None = None

    @cached_property
    def parts(self) -> RequestParts | None:
        """The request in parts; None without one."""
        return None if self.body is None else read_request(self.body)

    def problem(self, index: int) -> str | None:
        """Why an event did not get to StackAdapt; None when it did, or when no trigger takes it."""
        stopped = self.stopped[index]
        return self.refusal if stopped is None else None if stopped == _MISSED else stopped

    def arrived(self, index: int) -> bool:
        """Whether an event got to StackAdapt."""
        return self.stopped[index] is None and self.body is not None and self.refusal is None

    @cached_property
    def records(self) -> Mapping[int, Record]:
        """The record of each event that has one, by position in the batch."""
        records = [*(self.parts.records if self.parts else ())]
        taken = [index for index, why in enumerate(self.stopped) if why is None]
        if len(records) == len(taken):
            return dict(zip(taken, records, strict=True))
        return dict(_matched(records, taken, self.batch.events))


def _matched(
    records: Sequence[Record], taken: Sequence[int], events: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[int, Record]]:
    """Pairs events with records, both in order: the action leaves out some events."""
    waiting = iter(records)
    record = next(waiting, None)
    for index in taken:
        event = events[index]
        if record is not None and record.get("userId") in (event.get("userId"), event.get("anonymousId")):
            yield index, record
            record = next(waiting, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class SideRun:
    """A side with what it sent and how that ended, under an API version of StackAdapt.

    The deletions came after the end; `deleted` are the profiles that they deleted.
    """

    side: Side
    api_version: str
    sent: Sequence[SentBatch]
    end: EndState
    deletions: Sequence[SentBatch]
    deleted: frozenset[Who]

    @property
    def asked(self) -> Sequence[SentBatch]:
        """The events, then the deletions."""
        return [*self.sent, *self.deletions]


def run_side(
    side: Side,
    batches: Sequence[EventBatch],
    deletions: Sequence[EventBatch],
    at: datetime,
    open_trial: OpenTrial,
    *,
    before: SideRun | None,
) -> SideRun:
    """Makes the requests of all batches, and sends them to a StackAdapt of their own; then those of the deletions.

    Its API version is the workspace's if that accepts the documents. If not, it is the one of the side `before`; and
    without such a side, the newest that accepts them: what is in use today has been accepted.
    """
    asked = _made(side, [*batches, *deletions])
    sent = asked[: len(batches)]
    others = sorted(API_VERSIONS, reverse=True) if before is None else [before.api_version]
    version = _accepting(sent, [side.workspace.api_version, *others])
    workspace = replace(side.workspace, api_version=version, destinations=())
    return _ended(side, workspace, (sent, asked[len(batches) :]), at, open_trial)


def _made(side: Side, batches: Sequence[EventBatch]) -> list[SentBatch]:
    """The requests, of each generation in one run."""
    outcomes: dict[int, Outcome] = {}
    for generation in {id(each): each for each in side.generations.values()}.values():
        own = [index for index, batch in enumerate(batches) if side.generations[batch.place[0]] is generation]
        found = generation.run([_case(side, batches[index]) for index in own])
        outcomes |= dict(zip(own, found, strict=True))
    return [_sent(batch, outcomes[index]) for index, batch in enumerate(batches)]


def _case(side: Side, batch: EventBatch) -> Case:
    return side.deletion(batch.place[0], batch.events[0]) if batch.deletes else side.case(batch.place, batch.events)


def _sent(batch: EventBatch, outcome: Outcome) -> SentBatch:
    bodies = [request["body"] for request in outcome.get("requests", ())]
    return SentBatch(batch=batch, stopped=_stopped(batch, outcome), body=bodies[0] if bodies else None)


def _stopped(batch: EventBatch, outcome: Outcome) -> tuple[str | None, ...]:
    number = len(batch.events)
    if batch.deletes and outcome.get("requests"):
        # An error is then about the scripted response, which is not StackAdapt's.
        return (None,)
    if "error" in outcome:
        return (str(outcome["error"]["message"]),) * number
    if batch.deletes:
        return (_NO_DELETION,)
    listed = next((each["multistatus"] for each in outcome["results"] if "multistatus" in each), None)
    if listed is None:
        return (_MISSED,) * number
    return tuple(each.get("errormessage") for each in listed)


def _accepting(sent: Sequence[SentBatch], versions: Sequence[str]) -> str:
    """The first API version that accepts the documents; the first of all if there is none."""
    # Those of one subscription differ in their values only.
    documents = {each.batch.place: each.parts.document for each in sent if each.parts and each.parts.document}
    for version in versions:
        if documents and not any(validate(executable_schema(version), each) for each in documents.values()):
            return version
    return versions[0]


def _ended(
    side: Side,
    workspace: Workspace,
    asked: tuple[Sequence[SentBatch], Sequence[SentBatch]],
    at: datetime,
    open_trial: OpenTrial,
) -> SideRun:
    with open_trial(workspace, at) as services:
        run = Run.of(services, open_trial, at)
        post = _posting(side, services)
        sent = [*map(post, asked[0])]
        run.settle()
        end = run.end()
        deletions = [*map(post, asked[1])]
        run.settle()
        left = run.end().profiles
    causes = {**dict(_causes(sent)), **end.causes}
    return SideRun(
        side=side,
        api_version=workspace.api_version,
        sent=sent,
        end=replace(end, causes=causes),
        deletions=deletions,
        deleted=frozenset(end.profiles.keys() - left.keys()),
    )


def _posting(side: Side, services: Trial) -> Callable[[SentBatch], SentBatch]:
    """Posts a request, and adds why StackAdapt did not accept it."""
    tokens = {each.name: str(each.settings.get("apiKey", "")) for each in side.workspace.destinations}
    exchanged: list[GraphQLExchanged] = []

    def note(events: Sequence[Event]) -> None:
        exchanged.extend(each for each in events if isinstance(each, GraphQLExchanged))

    def post(each: SentBatch) -> SentBatch:
        if each.body is None:
            return each
        services.post(tokens[each.batch.place[0]], each.body)
        return replace(each, refusal=_refusal(exchanged[-1]))

    services.sandbox.journal.listen(note)
    return post


def _refusal(exchange: GraphQLExchanged) -> str | None:
    """Why StackAdapt did not accept a request."""
    status = exchange.status or 0
    reason = next((each.phrase for each in HTTPStatus if each == status), "")
    found = classify_response(Response(status=status, reason=reason, text=exchange.response))
    return None if found.reason is None else f"{found.reason}: {found.message}"


def _causes(sent: Sequence[SentBatch]) -> Iterator[tuple[str, Cause]]:
    """Why people are not in StackAdapt, by email and user id."""
    for each in sent:
        for index, event in enumerate(each.batch.events):
            if (problem := each.problem(index)) is not None:
                reason = REJECTED if each.stopped[index] is not None else "REFUSED"
                yield from ((name, Cause("Segment", reason, problem)) for name in names_of(event))


def names_of(event: Mapping[str, Any]) -> list[str]:
    """The emails and the user id by which an event names a person."""
    return [*emails_of(event), *([event["userId"]] if event.get("userId") else [])]


def who_of(event: Mapping[str, Any]) -> dict[str, Any]:
    """Whom an event is about, as an example shows it."""
    emails = emails_of(event)
    return {"email": emails[0]} if emails else {"userId": event.get("userId")}
