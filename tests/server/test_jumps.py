"""One jump of the clock leaves exactly what many small ones leave, whatever waits on the way."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from emulator import Emulator
from emulator.artefacts import fixture
from emulator.clock import Clock
from emulator.events import ClockMoved, Event, RecordProcessed
from emulator.segment.tables import TABLES
from emulator.stackadapt.tables import STACKADAPT
from emulator.workspace import parse_workspace
from emulator.workspace_file import read

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
WRITE = {"authorization": "Bearer sa-local-write"}

LIST = 'mutation { createProfileList(input: {advertiserId: "1001", name: "Kept"}) { profileList { id } } }'
UPSERT = "mutation($i: UpsertProfilesInput!) { upsertProfiles(input: $i) { userErrors { message } } }"
MAPPING = "mutation($i: ProfileMappingInput!) { upsertProfileMapping(input: $i) { userErrors { message } } }"
FORGET = """mutation($i: DeleteProfilesWithExternalIdsInput!) {
  deleteProfilesWithExternalIds(input: $i) { userErrors { message } } }"""
ERASE = "mutation($i: DeleteRawProfilesInput!) { deleteRawProfiles(input: $i) { userErrors { message } } }"
MEMBERS = """mutation($i: UpdateProfileListProfilesInput!) {
  updateProfileListProfiles(input: $i) { userErrors { message } } }"""
UPLOAD = """mutation($i: UserUploadedProfilesWithJSONInput!) {
  createUserUploadedProfilesWithJson(input: $i) { userErrors { message } } }"""

EMAIL_COLUMN = {"incomingKey": "email", "destinationKey": "email", "label": "Email", "type": "STRING", "isPii": True}
TIER_COLUMN = {"incomingKey": "tier", "destinationKey": "tier", "label": "Tier", "type": "STRING", "isPii": False}

Action = Callable[[Emulator], None]


def addresses(number: int) -> str:
    return f"{number}@example.com"


def call(route: str, **body: Any) -> Action:
    return lambda emulator: void(emulator.segment.ingest(route, body))


def run(document: str, **given: Any) -> Action:
    def send(emulator: Emulator) -> None:
        body = {"query": document, "variables": {"i": given}}
        answer = emulator.client.post("/graphql", json=body, headers=WRITE)
        # An injected fault is for the next request, of any client.
        assert answer.status_code == 503 or "errors" not in (answer.json or {}), answer.json

    return send


def fault(times: int) -> Action:
    return lambda emulator: void(emulator.sandbox.faults.add({"fault": "status", "status": 503, "times": times}))


def void(_: object) -> None:
    pass


def upsert(record: Mapping[str, Any], advertiser: str = "1001") -> Action:
    profiles = json.dumps([record])
    return run(UPSERT, advertiserId=advertiser, externalProvider="segment_io", profiles=profiles)


users = st.integers(0, 2)
emails = st.integers(0, 2).map(addresses)
advertisers = st.sampled_from(["1001", "1002"])
in_audience = st.sampled_from([{}, {"audienceId": "aud_1", "audienceName": "one", "action": "enter"}])

ACTIONS: st.SearchStrategy[Action] = st.one_of(
    st.builds(lambda user, email: call("identify", userId=f"u{user}", traits={"email": email}), users, emails),
    st.builds(lambda user: call("track", userId=f"u{user}", event="Order"), users),
    st.builds(
        lambda user, email, tier, audience, advertiser: upsert(
            {"userId": f"u{user}", "tier": tier, **({"email": email} if email else {}), **audience}, advertiser
        ),
        users,
        st.none() | emails,
        st.sampled_from(["gold", "silver"]),
        in_audience,
        advertisers,
    ),
    st.builds(
        lambda columns, opted_in, advertiser: run(
            MAPPING,
            advertiserId=advertiser,
            mappableType="segment_io",
            isOptedIn=opted_in,
            profileListName="Filled",
            mappingSchemaV2=[EMAIL_COLUMN, *columns],
        ),
        st.sampled_from([[], [TIER_COLUMN]]),
        st.booleans(),
        advertisers,
    ),
    st.builds(
        lambda user: run(FORGET, externalIds=[f"u{user}"], advertiserIds=["1001"], externalProvider="segmentio"), users
    ),
    st.builds(
        lambda email, compliance: run(ERASE, advertiserId="1001", emails=[email], isComplianceRequest=compliance),
        emails,
        st.booleans(),
    ),
    st.builds(lambda email: run(MEMBERS, advertiserId="1001", ids=["1"], addProfilesRawEmail=[email]), emails),
    st.builds(
        lambda email: run(UPLOAD, advertiserId="1001", mappingSchema=[EMAIL_COLUMN], profiles=[{"email": email}]),
        emails,
    ),
    st.builds(fault, st.integers(1, 3)),
)


def jumps(longest: timedelta) -> st.SearchStrategy[list[timedelta]]:
    return st.lists(st.timedeltas(timedelta(), longest), min_size=1, max_size=4)


STEPS = st.lists(st.tuples(ACTIONS, jumps(timedelta(hours=3))), min_size=1, max_size=6)
WORKSPACES = st.fixed_dictionaries(
    {
        "latency": st.sampled_from(["instant", "20m", "1h", "4h", "realistic"]),
        "mappingRace": st.booleans(),
        "recordWithoutEmail": st.sampled_from(["wait", "reject"]),
    }
)


def emulator_with(ingestion: Mapping[str, Any], *, batch_age: str = "0s", within: str = "3h") -> Emulator:
    """Frozen at noon, with an audience of those who ordered lately."""
    document = json.loads(json.dumps(read(fixture("workspace.yaml")))) | {"seed": 1}
    condition = {"event": "Order", "within": within}
    document["audiences"] = [{"key": "recent", "id": "aud_r", "name": "recent", "condition": condition}]
    document["destinations"][0]["audiences"] = [{"key": "recent", "sendTrack": False, "email": True}]
    document["destinations"][0]["batch"] = {"size": 1000, "age": batch_age}
    document["ingestion"] = dict(ingestion)
    return Emulator(parse_workspace(document), clock=Clock(frozen_at=NOON))


def everything(emulator: Emulator) -> dict[str, Any]:
    """All that can be observed: every table of both services, the journal, and what the control API answers."""
    emulator.services.process_due()
    seen: dict[str, Any] = {}
    with emulator.sandbox.store.begin() as connection:
        for table in (*STACKADAPT.sorted_tables, *TABLES.sorted_tables):
            seen[table.name] = [dict(row._mapping) for row in connection.execute(select(table))]
    seen["journal"] = [
        replace(event, duration_ms=0) if hasattr(event, "duration_ms") else event
        for event in emulator.sandbox.journal.entries(Event)
        # One jump is one move, and many small ones are many.
        if not isinstance(event, ClockMoved)
    ]
    rule = {"field": "external_audience_name", "operator": "equals", "value": "one"}
    recent = {"since": {"operator": "within_last", "value": "2h"}}
    for name, asked in {"all": rule, "recent": rule | recent}.items():
        body = {"advertiserId": "1001", "name": name, "rule": asked}
        made = emulator.client.post("/_emulator/segments", json=body).json or {}
        seen[f"segment {name}"] = got(emulator, f"segments/{made['id']}")
    for path in ("profiles", "rejections?pending=true", "records", "deliveries", "batches", "counts", "journal"):
        seen[f"GET {path}"] = got(emulator, path)
    return seen


def got(emulator: Emulator, path: str) -> Any:
    return emulator.client.get(f"/_emulator/{path}").json


def without_durations(seen: dict[str, Any]) -> dict[str, Any]:
    for entry in seen["GET journal"]["entries"]:
        entry.pop("durationMs", None)
    return seen


def played(
    steps: Sequence[tuple[Action, Sequence[timedelta]]], *, at_once: bool, batch_age: str, **ingestion: Any
) -> dict[str, Any]:
    with emulator_with(ingestion, batch_age=batch_age) as emulator:
        run(LIST)(emulator)
        for action, waits in [*steps, (void, [timedelta(hours=1)] * 10)]:
            action(emulator)
            for wait in [sum(waits, timedelta())] if at_once else waits:
                emulator.services.advance(wait)
        return without_durations(everything(emulator))


@settings(max_examples=15, deadline=None)
@given(STEPS, WORKSPACES, st.sampled_from(["0s", "7m"]))
def test_one_jump_leaves_what_many_small_ones_leave(steps: Any, ingestion: dict[str, Any], batch_age: str) -> None:
    small = played(steps, at_once=False, batch_age=batch_age, **ingestion)
    assert played(steps, at_once=True, batch_age=batch_age, **ingestion) == small


@pytest.mark.parametrize("jumps", [[timedelta(hours=10)], [timedelta(hours=1)] * 10])
def test_a_record_takes_effect_at_its_due_time(jumps: list[timedelta]) -> None:
    record = {"userId": "u1", "email": "ada@example.com", "audienceId": "aud_1", "action": "enter"}
    with emulator_with({"latency": "1h"}) as emulator:
        upsert(record)(emulator)
        for jump in jumps:
            emulator.services.advance(jump)
        [profile] = got(emulator, "profiles")["profiles"]
        assert profile["visibleAt"] == "2026-03-01T13:00:00.000Z"


def test_records_of_several_advertisers_are_processed_by_due_time() -> None:
    with emulator_with({"latency": "realistic"}) as emulator:
        for number in range(6):
            upsert({"email": addresses(number)}, advertiser=["1001", "1002"][number % 2])(emulator)
        emulator.services.advance(timedelta(hours=10))
        at = [event.at for event in emulator.sandbox.journal.entries(RecordProcessed)]
        assert at == sorted(at)
        assert len(set(at)) > 1
