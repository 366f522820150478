"""The journal: filters, decoded records, near misses, size limits, masks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from werkzeug.test import Client

from emulator import Emulator, load_workspace
from emulator.events import Event, GraphQLExchanged, MembershipChanged
from emulator.journal import CAPACITY_BYTES, Journal

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
WRITE = {"authorization": "Bearer sa-local-write"}
UPSERT = "mutation($u: UpsertProfilesInput!) { upsertProfiles(input: $u) { userErrors { message path } } }"


@pytest.fixture
def client() -> Iterator[Client]:
    with Emulator(replace(load_workspace(), seed=1)) as emulator:
        yield emulator.client


def graphql(client: Client, query: str, **variables: Any) -> Any:
    return client.post("/graphql", json={"query": query, "variables": variables}, headers=WRITE)


def upsert(client: Client, *records: dict[str, Any], advertiser: str = "1001") -> Any:
    given = {"advertiserId": advertiser, "externalProvider": "segment_io", "profiles": json.dumps(records)}
    return graphql(client, UPSERT, u=given)


def journal(client: Client, query: str = "") -> dict[str, Any]:
    response = client.get(f"/_emulator/journal{query}")
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.get_json()
    return found


def verify(client: Client, **body: Any) -> dict[str, Any]:
    response = client.post("/_emulator/journal/verify", json=body)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.get_json()
    return found


def exchange(number: int, size: int) -> GraphQLExchanged:
    return GraphQLExchanged(
        at=NOON,
        trace_id=str(number),
        token_name="t",
        operations=(),
        status=200,
        request="x" * size,
        response="",
        duration_ms=0.0,
    )


def test_an_entry_has_the_records_and_their_outcomes(client: Client) -> None:
    upsert(client, {"email": "Ada@Example.com", "userId": "u1"}, {"userId": "u2"})
    (entry,) = journal(client)["entries"]
    assert (entry["operations"], entry["advertiserIds"], entry["status"]) == (["upsertProfiles"], ["1001"], 200)
    assert (entry["outcome"], entry["token"], entry["faults"]) == ("accepted", "Local read and write", [])
    assert [record["record"] for record in entry["records"]] == [
        {"email": "Ada@Example.com", "userId": "u1"},
        {"userId": "u2"},
    ]
    assert entry["settled"] == {"visible": 1, "rejected": 1}
    assert entry["reasons"] == {"MISSING_EMAIL": 1}
    assert entry["durationMs"] > 0
    assert json.loads(entry["request"])["query"] == UPSERT
    assert json.loads(entry["response"])["data"]["upsertProfiles"] == {"userErrors": []}


def test_a_token_is_hidden_even_in_a_response_that_repeats_it(client: Client) -> None:
    response = graphql(client, "query($n: Int) { advertisers(first: $n) { totalCount } }", n="sa-local-write")
    assert "sa-local-write" in response.text
    (entry,) = journal(client)["entries"]
    assert "sa-local-write" not in json.dumps(entry)
    assert "***" in entry["request"]
    assert "***" in entry["response"]


def test_requests_from_segment_are_decoded_too(client: Client) -> None:
    person = {"userId": "u1", "traits": {"email": "ada@example.com", "total_spent": 900}}
    client.post("/v1/identify", json=person, auth=("segment-local", ""))
    found = journal(client, "?email=ada@example.com&operation=upsertProfiles")
    assert found["total"] == 1
    records = found["entries"][0]["records"]
    assert [record["record"]["email"] for record in records] == ["ada@example.com"] * 2


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 4),
        ("?operation=upsertProfiles", 3),
        ("?operation=user", 1),
        ("?email=ADA@example.com", 1),
        ("?email=*@example.com", 2),
        ("?advertiserId=1002", 1),
        ("?status=503", 1),
        ("?status=none", 0),
        ("?operation=upsertProfiles&advertiserId=1001&status=200", 1),
        ("?traceId=0", 0),
    ],
)
def test_a_request_must_match_every_filter(client: Client, query: str, count: int) -> None:
    upsert(client, {"email": "ada@example.com"})
    upsert(client, {"email": "bob@example.com"}, advertiser="1002")
    graphql(client, "{ user { email } }")
    client.post("/_emulator/faults", json={"fault": "status", "status": 503})
    upsert(client, {"email": "cyd@example.org"})
    assert journal(client, query)["total"] == count


def test_pages_are_oldest_first_and_a_trace_id_finds_its_request(client: Client) -> None:
    for number in range(5):
        upsert(client, {"email": f"u{number}@example.com"})
    page = journal(client, "?limit=2&offset=1")
    assert page["total"] == 5
    assert [entry["records"][0]["record"]["email"] for entry in page["entries"]] == ["u1@example.com", "u2@example.com"]
    trace_id = page["entries"][1]["traceId"]
    assert journal(client, f"?traceId={trace_id}")["entries"] == [page["entries"][1]]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("?emial=x", "Did you mean 'email'?"),
        ("?mask=yes", "must be true or false"),
        ("?status=abc", "100 to 599, or `none`"),
        ("?status=99", "100 or more"),
        ("?operation=", "this string is too short"),
        ("?operation=upsertProfile", "Did you mean 'upsertProfile"),
        ("?limit=-1", "0 or more"),
    ],
)
def test_an_invalid_filter_is_refused(client: Client, query: str, message: str) -> None:
    response = client.get(f"/_emulator/journal{query}")
    assert response.status_code == 400
    assert message in response.text


def test_a_mask_hides_personal_data_only(client: Client) -> None:
    upsert(client, {"email": "ada@example.com", "first_name": "Ada", "audienceId": "aud_1", "action": "enter"})
    (entry,) = journal(client, "?mask=true&email=ada@example.com")["entries"]
    assert "ada" not in json.dumps(entry).lower()
    assert entry["records"][0]["record"] == {
        "email": "***",
        "first_name": "***",
        "audienceId": "aud_1",
        "action": "enter",
    }
    assert entry["request"] == entry["response"] == "***"


def test_a_token_never_reaches_the_journal(client: Client) -> None:
    graphql(client, "query { user { email } } # sa-local-write")
    assert "sa-local-write" not in json.dumps(journal(client))


@pytest.mark.parametrize(
    ("query", "outcome"),
    [
        ("{ user { email } }", "accepted"),
        ("{ user { nonsense } }", "errors"),
        ("{ user { ", "errors"),
        (
            'mutation { deleteRawProfile(input: {advertiserId: 9, email: "x@y.io"}) { userErrors { message } } }',
            "userErrors",
        ),
        (
            'mutation { a: deleteRawProfile(input: {advertiserId: 9, email: "x@y.io"}) {\nwhy:\nuserErrors {path} } }',
            "userErrors",
        ),
    ],
)
def test_the_outcome_distinguishes_kinds_of_errors(client: Client, query: str, outcome: str) -> None:
    graphql(client, query)
    assert journal(client)["entries"][0]["outcome"] == outcome


def test_a_body_that_is_not_a_request_is_journalled_unchanged(client: Client) -> None:
    client.post("/graphql", data="nonsense", headers=WRITE, content_type="application/json")
    (entry,) = journal(client)["entries"]
    assert (entry["request"], entry["outcome"], entry["records"], entry["operations"]) == (
        "nonsense",
        "refused",
        [],
        [],
    )


@pytest.mark.parametrize(
    ("counts", "verified"),
    [
        ({}, True),
        ({"times": 2}, True),
        ({"times": 1}, False),
        ({"atLeast": 2}, True),
        ({"atLeast": 3}, False),
        ({"atMost": 2}, True),
        ({"atMost": 1}, False),
        ({"atLeast": 1, "atMost": 3}, True),
    ],
)
def test_verify_counts(client: Client, counts: dict[str, int], verified: bool) -> None:
    for _ in range(2):
        upsert(client, {"email": "ada@example.com"})
    response = verify(client, operation="upsertProfiles", email="ada@example.com", **counts)
    assert response == {"verified": verified, "found": 2, "expected": counts or {"atLeast": 1}, "nearest": []}


def test_a_failed_verification_has_the_nearest_requests_and_what_differs(client: Client) -> None:
    upsert(client, *[{"email": f"u{number}@example.com"} for number in range(30)])
    upsert(client, {"email": "ada@example.com"}, advertiser="1002")
    graphql(client, "{ user { email } }")
    response = verify(client, operation="upsertProfiles", email="ada@example.com", advertiserId="1001", status=200)
    assert (response["verified"], response["found"]) == (False, 0)
    email, advertiser = response["nearest"]
    assert (email["differs"], email["expected"], len(email["found"])) == ("email", "ada@example.com", 5)
    assert (advertiser["differs"], advertiser["expected"], advertiser["found"]) == ("advertiserId", "1001", ["1002"])
    assert journal(client, f"?traceId={advertiser['traceId']}")["total"] == 1


def test_a_request_without_a_response_can_be_verified(client: Client) -> None:
    client.post("/_emulator/faults", json={"fault": "reset", "times": 1})
    with pytest.raises(Exception, match="reset"):
        graphql(client, "{ user { email } }")
    assert verify(client, operation="user", status="none", times=1)["verified"] is True


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "one or more of operation"),
        ({"times": 1}, "one or more of operation"),
        ({"operation": 5}, "must be a string"),
        ({"operation": "user", "time": 1}, "Did you mean 'times'?"),
        ({"operation": "user", "times": -1}, "0 or more"),
        ({"operation": "user", "times": 1, "atLeast": 1}, "times cannot be combined with"),
        ({"operation": "usr"}, "Did you mean 'user'?"),
        ({"operation": "user", "status": True}, "must be an integer or a string"),
    ],
)
def test_an_invalid_verification_is_refused(client: Client, body: dict[str, Any], message: str) -> None:
    response = client.post("/_emulator/journal/verify", json=body)
    assert response.status_code == 400
    assert message in response.text


def test_the_journal_can_be_deleted(client: Client) -> None:
    upsert(client, {"email": "ada@example.com"})
    assert client.delete("/_emulator/journal").status_code == 204
    assert journal(client) == {"total": 0, "entries": []}


def test_memory_is_bounded_in_bytes_too() -> None:
    kept = Journal(capacity_bytes=10_000)
    for number in range(100):
        kept.append(exchange(number, 1_000))
    entries = kept.entries(GraphQLExchanged)
    assert 3 <= len(entries) <= 10
    assert entries[-1].trace_id == "99"
    assert sum(entry.size for entry in entries) <= 10_000


def test_the_newest_entry_is_kept_even_when_it_is_too_large() -> None:
    kept = Journal(capacity_bytes=1_000)
    kept.append(exchange(1, 10))
    kept.append(exchange(2, 5_000))
    assert [entry.trace_id for entry in kept.entries(GraphQLExchanged)] == ["2"]
    kept.append(MembershipChanged(at=NOON, audience_key="vip", profile_id="p", entered=True))
    assert kept.entries(GraphQLExchanged) == []


def test_a_cleared_journal_has_its_full_capacity_again() -> None:
    kept = Journal(capacity_bytes=10_000)
    kept.append(exchange(1, 8_000))
    kept.clear()
    kept.append(exchange(2, 4_000))
    kept.append(exchange(3, 4_000))
    assert len(kept.entries(GraphQLExchanged)) == 2


def test_long_texts_of_calls_and_paths_are_counted() -> None:
    with Emulator() as emulator:
        text = "x" * 20_000
        emulator.client.post("/v1/identify", json={"userId": text}, auth=("wrong", ""))
        emulator.client.post("/v1/identify", json={"userId": text}, auth=("segment-local", ""))
        emulator.client.post(f"/identify/{text}")
        emulator.client.post(f"/api/graphql/{text}")
        events = emulator.sandbox.journal.entries(Event)
        assert len(events) == 4
        assert all(event.size > 20_000 for event in events)


def test_big_batches_do_not_fill_the_memory() -> None:
    with Emulator() as emulator:
        filler = "x" * 4_000_000
        for _ in range(20):
            graphql(emulator.client, "{ user { email } }", unused=filler)
        kept = emulator.sandbox.journal.entries(GraphQLExchanged)
        assert 10 <= len(kept) < 20
        assert sum(entry.size for entry in kept) <= CAPACITY_BYTES


def test_the_body_of_a_call_is_not_kept(client: Client) -> None:
    call = {"userId": "u1", "event": "Order Completed", "properties": {"gift_note": "of-the-test"}}
    assert client.post("/v1/track", json=call, auth=("segment-local", "")).status_code == 200
    assert journal(client)["total"] == 0
    listed = client.get("/_emulator/calls").text
    assert "u1" in listed
    assert "of-the-test" not in listed
