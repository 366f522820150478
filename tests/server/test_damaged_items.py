"""A stored item that is damaged never fails the list that it is in: the others are shown as before, it with a note."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from itertools import cycle, islice
from random import Random
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from sqlalchemy import JSON, BigInteger, Boolean, Integer, MetaData, Table, text
from sqlalchemy.exc import IntegrityError

from emulator import Emulator
from emulator.segment.tables import BATCHES as SEGMENT_BATCHES
from emulator.segment.tables import CONTENTS, DELIVERIES, FORMS, REGULATIONS, SUPPRESSED, TABLES
from emulator.segment.tables import PROFILES as SEGMENT_PROFILES
from emulator.server.control.request_args import document
from emulator.stackadapt.tables import BATCHES, DELETIONS, PROFILES, RECORDS, SEGMENTS, STACKADAPT, UPLOADS

WRITE_KEY = ("segment-local", "")
TOKEN = {"Authorization": "Bearer sa-local-write"}
UPLOAD = """mutation { createUserUploadedProfilesWithJson(input: {advertiserId: 1001, mappingSchema: [
  {incomingKey: "email", destinationKey: "email", type: STRING, label: "Email", isPii: true}],
  profiles: [{email: "up@example.com"}]}) { userErrors { message } } }"""
DELETE = """mutation { deleteRawProfile(input: {advertiserId: 1001, isComplianceRequest: true,
  email: "up@example.com"}) { userErrors { message } } }"""
MAPPING = """mutation { upsertProfileMapping(input: {advertiserId: 1001, mappableType: "segment_io", mappingSchemaV2: [
  {incomingKey: "email", destinationKey: "email", type: STRING, label: "Email", isPii: true}]}) {
  userErrors { message } } }"""
LIST = 'mutation { createProfileList(input: {advertiserId: 1001, name: "VIPs"}) { userErrors { message } } }'

# Each list of the control API, by its path and the key of its items.
LISTS = {
    "profiles": "profiles",
    "rejections": "rejections",
    "records": "records",
    "uploads": "uploads",
    "deletions": "deletions",
    "calls": "calls",
    "deliveries": "deliveries",
    "batches": "batches",
    "dead-letters": "deadLetters",
    "space/profiles": "profiles",
    "audiences": "audiences",
    "audiences/explain": "audiences",
    "regulations": "regulations",
    "suppressions": "suppressions",
    "journeys": "journeys",
    "faults": "faults",
    "faults/unused": "faults",
    "journal": "entries",
    "segments": "segments",
    "sandboxes": "sandboxes",
}
# What shows one item, or all of them in another form.
ITEMS = [
    "funnel",
    "funnel?since=1d",
    "events?person=u1",
    "segments/1",
    "profiles/export?format=jsonl",
    "profiles/export?format=csv",
]
QUERIES = [
    "{ advertisers { nodes { id name } } }",
    "{ customSegments { nodes { id name size } } }",
    "{ cdpProfiles(advertiserId: 1001) { size profiles { nodes { email marketingStatus } } } }",
    "{ advertiser(id: 1001) { profileLists { nodes { name size } } } }",
    "{ advertiser(id: 1001) { cdpProfilePropertiesConnection { nodes { key } } } }",
]
DEEP = "[" * 900 + "]" * 900
# What one column of one row becomes, by the kind of column: a file knows no types.
TEXTS = ["", "{", "null", "[1]", '{"a": [1]}', "1e999", f'{{"a": {DEEP}}}', "\x00", b"\xff\xfe"]
NUMBERS = [-1, 10**18, -(10**18), "abc", 1.5]
# Each column gets one of the values of its kind, the next column of the table the next one, and others in each run.
# In a long run it gets them all.
VALUES_OF_A_COLUMN = 2
# At least as many as the emulator has when the first value is damaged.
REQUESTS_OF_HISTORY = 25


# Rows in the tables that people alone do not fill.
MORE = (
    'mutation { updateAdvertiser(input: {id: "1002", name: "Globex", description: "travel"}) { userErrors { path } } }',
    """mutation { upsertProfileMapping(input: {advertiserId: 1002, mappableType: "segment_io", profileListId: "LIST",
      mappingSchemaV2: [{incomingKey: "email", destinationKey: "email", label: "E", type: STRING, isPii: true},
        {incomingKey: "tags", destinationKey: "tags", label: "T", type: STRING_LIST, isPii: false}]})
      { userErrors { message path } } }""",
    """mutation { upsertProfiles(input: {advertiserId: 1002, externalProvider: "segment_io",
      profiles: [{email: "eve@example.com", tags: ["a", "b"]}]}) { userErrors { message path } } }""",
    """mutation { createUploadTargets(input: {regionIndependent: [
      {filename: "p.csv", mimeType: "text/csv", resourceType: CDP_PROFILES}]}) { userErrors { message path } } }""",
)


def fill_more_tables(emulator: Emulator) -> None:
    made = 'mutation { createProfileList(input: {advertiserId: 1002, name: "L"}) { profileList { id } } }'
    answer = emulator.client.post("/graphql", json={"query": made}, headers=TOKEN).get_json()
    list_id = answer["data"]["createProfileList"]["profileList"]["id"]
    for query in MORE:
        answer = emulator.client.post("/graphql", json={"query": query.replace('LIST"', f'{list_id}"')}, headers=TOKEN)
        (payload,) = answer.get_json()["data"].values()
        assert payload["userErrors"] == []
    named = {"userId": "ada", "messageId": "m1", "traits": {}}
    assert emulator.client.post("/v1/identify", json=named, auth=WRITE_KEY).status_code == 200


def make_history(emulator: Emulator) -> None:
    """Items in every list: three people, one of them rejected, a deletion, an upload, a suppression, a segment."""
    client = emulator.client
    for name in ("ada", "grace", "alan"):
        traits = {"email": f"{name}@example.com", "total_spent": 900, "plan": "gold"}
        assert client.post("/v1/identify", json={"userId": name, "traits": traits}, auth=WRITE_KEY).status_code == 200
    assert client.post("/v1/identify", json={"traits": {}}, auth=WRITE_KEY).status_code == 200
    for number in (1, 2):
        fields = {"userId": f"no-address-{number}", "traits": {"email": "no address", "total_spent": 900}}
        assert client.post("/v1/identify", json=fields, auth=WRITE_KEY).status_code == 200
        regulation = {"regulationType": "SUPPRESS_ONLY", "subjectIds": [f"left-{number}"]}
        assert client.post("/_emulator/regulations", json=regulation).status_code == 200
        for query in (MAPPING, UPLOAD, DELETE, LIST):
            assert client.post("/graphql", json={"query": query}, headers=TOKEN).status_code == 200
        rule = {"any": [{"field": "plan", "operator": "equals", "value": "gold"}, {"field": "x", "operator": "exists"}]}
        segment = {"advertiserId": "1001", "name": f"Segment {number}", "rule": rule}
        assert client.post("/_emulator/segments", json=segment).status_code == 201
        fault = {"fault": "status", "status": 400, "email": "*@nowhere.example"}
        assert client.post("/_emulator/faults", json=fault).status_code == 201
    for number in (1, 2):
        person = {"userId": f"late-{number}", "traits": {"email": f"late-{number}@example.com", "total_spent": 900}}
        assert client.post("/v1/identify", json=person, auth=WRITE_KEY).status_code == 200


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        make_history(emulator)
        fill_more_tables(emulator)
        yield emulator


def read(emulator: Emulator, path: str, key: str) -> list[dict[str, Any]]:
    response = emulator.client.get(f"/_emulator/{path}")
    assert response.status_code == 200, (path, response.text)
    check_schema(path, response.get_json())
    found: list[dict[str, Any]] = response.get_json()[key]
    return found


def check_schema(path: str, body: Mapping[str, Any]) -> None:
    operation = document()["paths"][f"/_emulator/{path}"]["get"]
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    # `format` and patterns of single values are those of a healthy store.
    Draft202012Validator({**schema, "components": document()["components"]}).validate(body)


def columns_of(*metadata: MetaData) -> Iterator[tuple[Table, str]]:
    for each in metadata:
        for table in each.sorted_tables:
            yield from ((table, column.name) for column in table.c)


def damages(column: Any) -> list[Any]:
    if isinstance(column.type, Integer | BigInteger | Boolean):
        return NUMBERS
    if isinstance(column.type, JSON):
        return TEXTS[1:]
    return TEXTS


def key_of(table: Table) -> list[str]:
    """The columns that name a row."""
    if table.dialect_options["sqlite"]["with_rowid"]:
        return ["rowid"]
    return [column.name for column in table.primary_key]


def named(key: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a key in a statement."""
    return {f"key_{name}": value for name, value in key.items()}


@pytest.fixture
def damaged(emulator: Emulator) -> Iterator[Any]:
    """Puts a value into a column of the first row; the row is as it was after the test."""
    store = emulator.sandbox.store
    undo: list[tuple[str, dict[str, Any]]] = []

    def damage(table: Table, column: str, value: Any, *, row: int = 1) -> bool:
        key = key_of(table)
        with store.begin() as connection:
            found = connection.execute(
                text(
                    f"SELECT {', '.join(key)}, {column} FROM {table.name} ORDER BY {', '.join(key)} "
                    f"LIMIT 1 OFFSET {row - 1}"
                )
            ).first()
            if found is None:
                return False
            place = " AND ".join(f"{name} = :key_{name}" for name in key)
            update = f"UPDATE {table.name} SET {column} = :value WHERE {place}"
            before = dict(zip(key, found, strict=False))
            after = {**before, column: value} if column in key else before
            connection.execute(text(update), {"value": value, **named(before)})
            undo.append((update, {"value": found[-1], **named(after)}))
        return True

    yield damage
    with store.begin() as connection:
        for update, values in reversed(undo):
            connection.execute(text(update), values)


def test_every_list_has_items(emulator: Emulator) -> None:
    empty = [path for path, key in LISTS.items() if not read(emulator, path, key)]
    assert empty == ["journeys"]


COLUMNS = [
    pytest.param(table, column, id=f"{table.name}.{column}")
    for table, column in columns_of(TABLES, STACKADAPT)
    # An id names the row.
    if not table.c[column].primary_key or len(table.primary_key) > 1
]


def dealt(table: Table, column: str, seed: int, *, all_of_them: bool) -> list[Any]:
    """The values for a column: those that follow the ones of the column before it, in an order of the table's own."""
    values = damages(table.c[column])
    alike = [name for name in (each.name for each in table.c) if damages(table.c[name]) == values]
    shuffled = Random(f"{seed} {table.name}").sample(values, len(values))
    count = len(shuffled) if all_of_them else VALUES_OF_A_COLUMN
    start = alike.index(column) * count % len(shuffled)
    return list(islice(cycle(shuffled), start, start + count))


def failures(emulator: Emulator, value: Any) -> Iterator[tuple[str, str, str]]:
    # The journal only grows; of it, what there was before and, below, the queries of this value.
    first = f"journal?limit={REQUESTS_OF_HISTORY}"
    for path in (first, *(each for each in LISTS if each != "journal"), *ITEMS):
        try:
            response = emulator.client.get(f"/_emulator/{path}")
            # An export is written while it is read.
            response.get_data()
            if response.status_code != 200:
                yield path, str(value)[:20], str(response.status_code)
        except Exception as error:  # noqa: BLE001 - an export fails while it is read
            yield path, str(value)[:20], repr(error)[:200]
    for query in QUERIES:
        response = emulator.client.post("/graphql", json={"query": query}, headers=TOKEN)
        if response.status_code >= 500:
            yield query[:30], str(value)[:20], str(response.status_code)
    total = emulator.client.get(f"/_emulator/{first}").get_json()["total"]
    response = emulator.client.get(f"/_emulator/journal?offset={total - len(QUERIES)}")
    if response.status_code != 200:
        yield "journal", str(value)[:20], str(response.status_code)


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_a_damaged_value_fails_no_list(emulator: Emulator, damaged: Any, table: Table, column: str, long: bool) -> None:
    failed, seed = [], secrets.randbelow(2**32)
    for value in dealt(table, column, seed, all_of_them=long):
        try:
            if not damaged(table, column, value):
                pytest.skip("no row")
        except IntegrityError:
            # Another row has this value already.
            continue
        failed += failures(emulator, value)
    assert failed == [], f"seed {seed}"


@pytest.mark.parametrize("value", NUMBERS)
@pytest.mark.parametrize(("table", "column"), [(SEGMENT_BATCHES, "next_at"), (DELIVERIES, "queued_at")], ids=str)
def test_a_damaged_time_at_which_something_is_due_fails_no_poll(
    emulator: Emulator, damaged: Any, table: Table, column: str, value: Any
) -> None:
    assert damaged(table, column, value)
    assert emulator.client.get("/_emulator/events").status_code == 200


@pytest.mark.parametrize(
    ("table", "column", "value", "lists"),
    [
        (CONTENTS, "traits", "{", {"deliveries": "payload"}),
        (FORMS, "before_times", "{", {"deliveries": "payload"}),
        (DELIVERIES, "settled_at", "abc", {"deliveries": "at"}),
        (DELIVERIES, "event_id", 999, {"deliveries": "payload"}),
        (SEGMENT_BATCHES, "locations", "{", {"batches": "locations"}),
        (SEGMENT_PROFILES, "traits", "{", {"space/profiles": "profile", "audiences/explain": "profile"}),
        (SEGMENT_PROFILES, "updated", "[]", {"space/profiles": "profile", "audiences/explain": "profile"}),
        (REGULATIONS, "content", "{", {"regulations": "regulation"}),
        (SUPPRESSED, "at", 10**18, {"suppressions": "since"}),
        (PROFILES, "properties", "{", {"profiles": "properties", "segments": "segment"}),
        (PROFILES, "visible_at", "abc", {"profiles": "visibleAt"}),
        (RECORDS, "raw", "[]", {"records": "record"}),
        (RECORDS, "warnings", "{", {"records": "warnings"}),
        (BATCHES, "received_at", 10**18, {"records": "receivedAt", "uploads": "receivedAt"}),
        (UPLOADS, "batch_id", 999, {"uploads": "receivedAt"}),
        (DELETIONS, "kept", "{", {"deletions": "kept"}),
        (SEGMENTS, "rule", "{", {"segments": "segment"}),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_damaged_item_says_what_is_not_shown(
    emulator: Emulator, damaged: Any, table: Table, column: str, value: Any, lists: dict[str, str]
) -> None:
    before = {path: read(emulator, path, LISTS[path]) for path in lists}
    rows = [number for number in range(1, 4) if damaged(table, column, value, row=number)]
    assert rows
    for path, field in lists.items():
        items = read(emulator, path, LISTS[path])
        noted = [each for each in items if "notShown" in each]
        if path != "audiences/explain":
            assert len(items) == len(before[path])
            assert all(each in before[path] for each in items if each not in noted)
        assert noted or path in ("uploads", "records"), path
        assert all(each["notShown"][0].startswith(f"{field}: ") for each in noted)


def test_a_damaged_request_says_what_is_not_shown(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: Any) -> None:
        raise RecursionError("too deep")

    monkeypatch.setattr("emulator.stackadapt.request_log.parse_body", fail)
    items = read(emulator, "journal", "entries")
    assert {*(each["notShown"][0] for each in items)} == {"records: too deep"}


def test_a_damaged_segment_is_an_error_at_its_place(emulator: Emulator, damaged: Any) -> None:
    damaged(SEGMENTS, "rule", "{")
    query = "{ customSegments { nodes { id size } } }"
    body = emulator.client.post("/graphql", json={"query": query}, headers=TOKEN).get_json()
    assert "damaged in the store" in body["errors"][0]["message"]
    assert body["errors"][0]["path"][:3] == ["customSegments", "nodes", 0]


def test_a_damaged_profile_is_exported_with_a_note_and_imported_with_a_warning(
    emulator: Emulator, damaged: Any
) -> None:
    damaged(PROFILES, "properties", "{")
    for name in ("jsonl", "csv"):
        exported = emulator.client.get(f"/_emulator/profiles/export?format={name}")
        assert exported.status_code == 200
        assert exported.text.count("notShown") == 1
        with Emulator() as other:
            taken = other.client.post(f"/_emulator/profiles/import?format={name}", data=exported.get_data()).get_json()
        assert taken["rejected"] == 0
        assert [each["key"] for each in taken["warnings"]] == ["notShown"]


def test_a_damaged_segment_is_shown_with_a_note(emulator: Emulator, damaged: Any) -> None:
    damaged(SEGMENTS, "rule", "{")
    shown = emulator.client.get("/_emulator/segments/1")
    assert shown.status_code == 200
    found = shown.get_json()
    assert (found["rule"], found["members"], found["size"]) == (None, [], 0)
    assert found["notShown"][0].startswith("segment: ")
    asked = emulator.client.get("/_emulator/why?email=ada@example.com&segment=1")
    assert asked.status_code == 400
    assert "damaged in the store" in asked.text
