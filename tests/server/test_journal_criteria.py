"""The journal by reason, fault and person, in lists, in verifications and as a recording."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from werkzeug.test import Client

from emulator import Emulator, Unmet
from emulator.harness.client import sandbox_at
from emulator.harness.expectations import ExpectingStackAdapt
from emulator.harness.recordings import replay
from emulator.harness.scenarios import PASSED, separate_emulators
from tests.harness.test_recordings_replayed import own_emulator

WRITE = {"authorization": "Bearer sa-local-write"}
UPSERT = "mutation($u: UpsertProfilesInput!) { upsertProfiles(input: $u) { userErrors { message path } } }"


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as started:
        started.client.post("/_emulator/clock/freeze")
        upsert(started.client, {"email": "ada@example.com"})
        upsert(started.client, {"userId": "grace"}, {"email": "not an address"})
        started.client.post("/_emulator/faults", json={"fault": "partial", "times": 1})
        upsert(started.client, {"email": "linus@example.com"})
        started.client.post("/_emulator/clock/advance", json={"hours": 5})
        yield started


def upsert(client: Client, *records: dict[str, Any]) -> None:
    given = {"advertiserId": "1001", "externalProvider": "segment_io", "profiles": json.dumps(records)}
    answer = client.post("/graphql", json={"query": UPSERT, "variables": {"u": given}}, headers=WRITE)
    assert answer.status_code == 200


def found(client: Client, **criteria: str) -> list[dict[str, int]]:
    """The reasons of each request that matches."""
    response = client.get("/_emulator/journal", query_string=criteria)
    assert response.status_code == 200, response.text
    return [entry["reasons"] for entry in response.json["entries"]]


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        ({"reason": "MISSING_EMAIL"}, [{"MISSING_EMAIL": 1, "INVALID_EMAIL": 1}]),
        ({"reason": "INVALID_EMAIL"}, [{"MISSING_EMAIL": 1, "INVALID_EMAIL": 1}]),
        ({"reason": "INJECTED"}, [{"INJECTED": 1}]),
        ({"reason": "SUPPRESSED"}, []),
        ({"fault": "partial"}, [{"INJECTED": 1}]),
        ({"fault": "partial", "reason": "MISSING_EMAIL"}, []),
        ({"fault": "rateLimit"}, []),
        ({"reason": "INJECTED", "email": "linus@example.com"}, [{"INJECTED": 1}]),
        ({"person": "ada@example.com"}, [{}]),
        ({"person": "grace"}, []),
        ({"person": "unknown"}, []),
    ],
    ids=str,
)
def test_the_journal_by_reason_fault_and_person(
    emulator: Emulator, criteria: dict[str, str], expected: list[dict[str, int]]
) -> None:
    assert found(emulator.client, **criteria) == expected


def test_a_person_is_found_by_user_id_message_id_and_email() -> None:
    with Emulator() as emulator:
        client = emulator.client
        headers = {"Authorization": "Basic " + b64encode(b"segment-local:").decode()}
        for user in ("ada", "linus"):
            call = {
                "userId": user,
                "messageId": f"m-{user}",
                "traits": {"email": f"{user}@example.com", "total_spent": 700},
            }
            assert client.post("/v1/identify", json=call, headers=headers).status_code == 200
        of_ada = client.get("/_emulator/journal?email=ada@example.com").json["entries"]
        assert of_ada
        for name in ("ada", "m-ada", "ada@example.com", "ADA@example.com"):
            assert client.get("/_emulator/journal", query_string={"person": name}).json["entries"] == of_ada


def test_an_unknown_reason_is_refused_with_those_that_exist(emulator: Emulator) -> None:
    response = emulator.client.get("/_emulator/journal?reason=MISSING")
    assert response.status_code == 400
    assert "MISSING_EMAIL" in response.json["allowed"]


def test_a_near_miss_names_the_reasons_of_its_records(emulator: Emulator) -> None:
    client = emulator.client
    body = {"operation": "upsertProfiles", "reason": "SUPPRESSED"}
    answer = client.post("/_emulator/journal/verify", json=body).json
    assert (answer["verified"], answer["found"]) == (False, 0)
    assert [(miss["differs"], miss["found"]) for miss in answer["nearest"]] == [
        ("reason", []),
        ("reason", ["MISSING_EMAIL", "INVALID_EMAIL"]),
        ("reason", ["INJECTED"]),
    ]
    assert client.post("/_emulator/journal/verify", json={"fault": "partial", "times": 1}).json["verified"]


def test_tests_expect_requests_by_reason_and_fault(emulator: Emulator) -> None:
    client = httpx.Client(transport=httpx.WSGITransport(app=emulator.app), base_url="http://127.0.0.1")
    stackadapt = ExpectingStackAdapt(sandbox_at(client))
    assert stackadapt.expect_request(reason="INJECTED", fault="partial", times=1)
    assert len(stackadapt.journal(person="ada@example.com")) == 1
    with pytest.raises(Unmet, match="reason is INJECTED, not SUPPRESSED"):
        stackadapt.expect_request(fault="partial", reason="SUPPRESSED")


def test_a_recording_of_the_journal_can_be_replayed_and_has_no_address(emulator: Emulator, tmp_path: Path) -> None:
    response = emulator.client.get("/_emulator/journal/recording?limit=2")
    assert response.mimetype == "application/x-ndjson"
    assert "ada@example.com" not in response.text
    assert "sa-local" not in response.text
    path = tmp_path / "exchanges.jsonl"
    path.write_text(response.text)
    results = list(replay(path, separate_emulators(own_emulator)))
    assert [result.outcome for result in results] == [PASSED, PASSED]


def test_a_recording_has_the_requests_that_match_and_were_answered(emulator: Emulator) -> None:
    client = emulator.client
    client.post("/_emulator/faults", json={"fault": "reset", "times": 1})
    with pytest.raises(httpx.ReadError):
        upsert(client, {"email": "eve@example.com"})
    assert client.get("/_emulator/journal/recording?status=none").text == ""
    [line] = client.get("/_emulator/journal/recording?reason=INJECTED").text.splitlines()
    assert json.loads(line)["status"] == 200


def test_a_list_without_content_says_the_rest(emulator: Emulator) -> None:
    whole = (emulator.client.get("/_emulator/journal").json or {})["entries"]
    short = (emulator.client.get("/_emulator/journal?content=false").json or {})["entries"]
    left_out = {"request", "response", "records"}
    assert short == [{name: value for name, value in each.items() if name not in left_out} for each in whole]
    assert all(left_out <= each.keys() for each in whole)
    recordings = [emulator.client.get(f"/_emulator/journal/recording{query}").text for query in ("", "?content=false")]
    assert recordings[0].count("\n") == recordings[1].count("\n") > 0
