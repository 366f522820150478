"""Runs what happened to one person again, unchanged or changed, in services of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import insert, select

from emulator.durations import in_words
from emulator.errors import EmulatorError
from emulator.harness.why.answer import LATENCY, Question, Stop
from emulator.harness.why.diagnosis import diagnosed
from emulator.harness.why.evidence import Evidence, Services, Shown, gather
from emulator.segment import BATCH_PERIOD
from emulator.stackadapt.tables import ADVERTISERS, MAPPINGS, PROFILE_LISTS, SEGMENTS, SUPPRESSIONS
from emulator.timestamps import parse_timestamp
from emulator.workspace import Workspace, parse_workspace
from emulator.workspace_document import document_of

# What StackAdapt has apart from people. Suppressions are kept by email: without them a deleted person would come back.
_TABLES = (ADVERTISERS, PROFILE_LISTS, MAPPINGS, SEGMENTS, SUPPRESSIONS)
UPSERT = """mutation Rerun($input: UpsertProfilesInput!) {
  upsertProfiles(input: $input) { userErrors { message } }
}"""


class Running(Services, Protocol):
    """Services that take requests."""

    def post(self, token: str, body: str) -> None:
        """Posts a body to `/graphql`."""
        ...


class Trial(Running, Protocol):
    """Services in memory that nothing else uses."""


# Opens services for a workspace, with the clock frozen at a time.
OpenTrial = Callable[[Workspace, datetime], AbstractContextManager[Trial]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is run again. `workspace` is the JSON form; `calls` go to Segment, `records` and `request` to StackAdapt.

    `members` are memberships to set in the end, whatever the conditions say: the arguments of `set_membership`.
    `records` are `{"advertiserId", "provider", "record"}`. `wait` is how far the clock is moved after `now`.
    """

    question: Question
    workspace: Shown
    started: datetime
    now: datetime
    source: str | None = None
    calls: tuple[Shown, ...] = ()
    members: tuple[Shown, ...] = ()
    records: tuple[Shown, ...] = ()
    request: str | None = None
    token: str = field(default="", repr=False)
    faults: tuple[Shown, ...] = ()
    tables: Mapping[str, Sequence[Shown]] = field(default_factory=dict, repr=False)
    wait: timedelta = timedelta()

    def changed(self, **changes: Any) -> Case:
        """The case with these fields replaced. Values are shared, so a change replaces what it changes."""
        return replace(self, **changes)


def case_of(stop: Stop, evidence: Evidence, services: Services) -> Case | None:
    """The case of a person who stopped somewhere; None when nothing that could be run again is known."""
    by_segment = [each["traceId"] for each in evidence.deliveries]
    direct = stop.about.get("requestId", stop.about.get("traceId")) not in by_segment and "record" in stop.about
    case = Case(
        question=_lasting(evidence),
        workspace=_workspace(stop, evidence, services),
        started=evidence.started,
        now=evidence.now,
        faults=tuple(active_faults(services)),
        tables=_rows(services, evidence.emails),
        token=_token(stop, evidence.workspace),
    )
    if direct or (not evidence.space and not evidence.deliveries and evidence.records):
        return replace(case, records=tuple(_record(each) for each in evidence.records))
    if evidence.space or evidence.deliveries:
        calls = tuple(_calls(evidence, services))
        started = _with_batches(_first(calls, evidence.started), evidence)
        source = next((call.source for call in reversed(evidence.calls) if call.accepted), None)
        case = replace(case, calls=calls, source=source, members=tuple(_members(evidence)), started=started)
        filtered = stop.about.get("call")
        if filtered is None or not filtered.content:
            return case
        return replace(case, calls=(*calls, dict(filtered.content)), source=filtered.source)
    if (call := stop.about.get("call")) is not None:
        return replace(case, calls=(dict(call.content),), source=call.source) if call.content else None
    if evidence.requests:
        return replace(case, request=evidence.requests[-1]["request"])
    return None


def play(case: Case, open_trial: OpenTrial) -> tuple[Stop | None, Evidence | None]:
    """Runs a case: where it stops, None when the person arrives, and what is known of it.

    A case that the emulator refuses stops where it begins.
    """
    try:
        workspace = parse_workspace(case.workspace)
        with open_trial(workspace, case.started) as trial:
            _prepare(case, trial)
            _send(case, trial)
            trial.advance(max(case.now - trial.sandbox.clock.now(), timedelta()) + case.wait)
            evidence = gather(case.question, trial)
            return diagnosed(evidence, trial), evidence
    except EmulatorError as error:
        return Stop(stage="call", reason="REFUSED", message=str(error), advice=""), None


def _prepare(case: Case, trial: Trial) -> None:
    with trial.sandbox.store.begin() as connection:
        for table in _TABLES:
            if rows := case.tables.get(table.name):
                connection.execute(insert(table), list(rows))
    for fault in case.faults:
        trial.sandbox.faults.add(fault)


def _send(case: Case, trial: Trial) -> None:
    for call in case.calls:
        trial.segment.ingest("batch", {"batch": [call]}, source=case.source)
    set_memberships(case.members, trial)
    post_again(case, trial)


def set_memberships(members: Iterable[Shown], services: Running) -> None:
    """Sets memberships that are not so already, of audiences that the workspace has: arguments of `set_membership`."""
    for member in members:
        key, user_id = member["audience_key"], member["user_id"]
        if services.sandbox.workspace.audience(key) is None:
            continue
        known = services.segment.profiles(user_id=user_id, email=None if user_id else member["email"])
        if any(key in profile["audiences"] for profile in known) != member["entered"]:
            services.segment.set_membership(**member)


def post_again(case: Case, services: Running) -> None:
    """Sends to StackAdapt what another client than Segment sent."""
    for record in case.records:
        services.post(case.token, json.dumps({"query": UPSERT, "variables": {"input": upserted(record)}}))
    if case.request is not None:
        services.post(case.token, case.request)


def upserted(record: Shown) -> Shown:
    """The input of `upsertProfiles` for a record of a case."""
    return {
        "advertiserId": record["advertiserId"],
        "externalProvider": record["provider"],
        "profiles": json.dumps([record["record"]]),
    }


def _lasting(evidence: Evidence) -> Question:
    """The question without a message id, which is another when a message is sent again."""
    question = evidence.question
    if question.message_id is None:
        return question
    email = question.email or next(iter(evidence.emails), None)
    return replace(question, message_id=None, email=email, user_id=question.user_id or next(iter(evidence.users), None))


def _workspace(stop: Stop, evidence: Evidence, services: Services) -> Shown:
    """The workspace in its present state. Nothing leaves the machine: every destination sends to the trial."""
    document = document_of(evidence.workspace)
    document["faults"] = []
    document.pop("rateLimit", None)
    if (limit := services.sandbox.rate_limiter.limit) is not None:
        document["rateLimit"] = limit.as_dict()
    for destination in document["destinations"]:
        destination.pop("endpoint", None)
    document["ingestion"]["latency"] = "instant"
    if stop.stage == LATENCY:
        received, due = parse_timestamp(stop.about["receivedAt"]), parse_timestamp(stop.about["dueAt"])
        if received and due:
            document["ingestion"]["latency"] = f"{(due - received).total_seconds():.3f}s"
    return document


def active_faults(services: Services) -> list[Shown]:
    """The faults that are active, as definitions with what is left of their times and of their time."""
    now = services.sandbox.clock.now()
    return [
        {name: value for name, value in rule.definition.as_dict().items() if value is not None}
        | ({} if rule.remaining is None else {"times": rule.remaining})
        | ({} if rule.until is None else {"lasts": in_words(rule.until - now)})
        for rule in services.sandbox.faults.rules()
    ]


def _rows(services: Services, emails: Sequence[str]) -> dict[str, Sequence[Shown]]:
    """The rows that matter to the person: of suppressions, which may be many, only their own."""
    found = {table: select(table) for table in _TABLES}
    found[SUPPRESSIONS] = found[SUPPRESSIONS].where(SUPPRESSIONS.c.email.in_(emails))
    with services.sandbox.store.begin() as connection:
        return {table.name: [dict(row._mapping) for row in connection.execute(query)] for table, query in found.items()}


def _token(stop: Stop, workspace: Workspace) -> str:
    """A token that may write; for a refused request the one that was refused, if the workspace has it."""
    named = [token for token in workspace.tokens if token.name == stop.about.get("token")]
    writing = [token for token in workspace.tokens if any("WRITE" in scopes for scopes in token.scopes.values())]
    if "operations" in stop.about:
        return named[0].secret if named else ""
    return writing[0].secret if writing else ""


def _record(record: Shown) -> Shown:
    return {"advertiserId": record["advertiserId"], "provider": record["provider"], "record": dict(record["record"])}


def _calls(evidence: Evidence, services: Services) -> list[Shown]:
    """Calls that make the person's profiles: an identify with all traits, and the events that conditions count."""
    calls = [identify_of(profile) for profile in evidence.space] or [_of_payload(evidence.deliveries[-1]["payload"])]
    return calls + performed(evidence, services)


def performed(evidence: Evidence, services: Services) -> list[Shown]:
    """The events that conditions count, as track calls."""
    return [call for user in evidence.users for call in performed_by(services, user)]


def performed_by(services: Services, user_id: str | None) -> list[Shown]:
    """The events of a user that conditions count, as track calls."""
    return [
        {
            "type": "track",
            "userId": done["userId"],
            "event": done["event"],
            "properties": done["properties"],
            "timestamp": done["at"],
        }
        for done in (services.segment.performed(user_id) if user_id else ())
    ]


def identify_of(profile: Shown) -> Shown:
    """An identify call with everything that Engage knows of a profile."""
    ids = {each["type"]: each["id"] for each in profile["externalIds"]}
    call: Shown = {"type": "identify", "traits": dict(profile["traits"])}
    call |= {"userId": profile["userId"]} if profile["userId"] else {}
    call |= {"anonymousId": ids["anonymous_id"]} if "anonymous_id" in ids and not profile["userId"] else {}
    if profile["email"] and profile["traits"].get("email") != profile["email"]:
        call["context"] = {"traits": {"email": profile["email"]}}
    return call


def _of_payload(payload: Shown) -> Shown:
    """An identify from an event about someone whom Segment does not know, or has deleted since."""
    context = payload.get("context")
    places = (payload, context if isinstance(context, dict) else {})
    traits: Shown = next(
        (each["traits"] for each in places if isinstance(each.get("traits"), dict) and each["traits"]), {}
    )
    return {"type": "identify", "userId": payload.get("userId"), "traits": dict(traits)}


def _members(evidence: Evidence) -> list[Shown]:
    return [
        {"audience_key": key, "entered": True, "user_id": profile["userId"], "email": profile["email"]}
        for profile in evidence.space
        for key in profile["audiences"]
        if evidence.workspace.audience(key) is not None
    ]


def _with_batches(started: datetime, evidence: Evidence) -> datetime:
    """The start at which batch audiences are computed at the same times again, at most eight hours earlier."""
    due = [each["nextComputation"] for each in evidence.audiences if each["nextComputation"]]
    if not due or (at := parse_timestamp(due[0])) is None:
        return started
    return started - (started - at) % BATCH_PERIOD


def _first(calls: Sequence[Shown], started: datetime) -> datetime:
    times = [at for call in calls if (at := parse_timestamp(call.get("timestamp"))) is not None]
    return min([started, *times])
