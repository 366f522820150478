from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.test import Client

from emulator import Emulator


@pytest.fixture
def client() -> Iterator[Client]:
    with Emulator() as emulator:
        yield emulator.client


def test_health_has_the_status_and_the_time(client: Client) -> None:
    body = client.get("/_emulator/health").json
    assert body is not None
    assert body["status"] == "ok"
    assert body["now"].endswith("Z")


def test_the_root_lists_the_endpoints(client: Client) -> None:
    body = client.get("/").json
    assert body is not None
    assert body["stackadapt"] == "/graphql"


def test_a_body_may_have_16_mebibytes(client: Client) -> None:
    body = b'{"hours": 1}'.ljust(16 * 1024 * 1024)
    for sent, status in ((body, 200), (body + b" ", 413)):
        answer = client.post("/_emulator/clock/advance", data=sent, content_type="application/json")
        assert answer.status_code == status


def test_the_clock_freezes_advances_and_resumes(client: Client) -> None:
    frozen = client.post("/_emulator/clock/freeze").json
    assert frozen is not None
    assert frozen["frozen"] is True
    ahead = client.post("/_emulator/clock/advance", json={"hours": 4}).json
    assert ahead is not None
    assert ahead["now"] > frozen["now"]
    resumed = client.post("/_emulator/clock/resume").json
    assert resumed is not None
    assert resumed["frozen"] is False
    assert resumed["aheadSeconds"] == pytest.approx(4 * 3600, abs=60)


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("/_emulator/clock/advance", {"hour": 4}, "hour: unknown key 'hour'.*hours"),
        ("/_emulator/clock/advance", {"hours": -1}, "hours: .*-1.*0 or more"),
        ("/_emulator/clock/advance", {"hours": "4"}, "hours: must be a number.*'4'"),
        ("/_emulator/clock/advance", {"duration": "4 weeks"}, "duration: .*4 weeks.*4h"),
        ("/_emulator/clock/advance", {}, "too few keys.*duration"),
        ("/_emulator/segments", {"name": "x"}, "'advertiserId' is missing"),
        ("/_emulator/segments", {"advertiserId": "1001", "name": 5, "rule": {}}, "name: must be a string"),
        ("/_emulator/faults", {"fault": "statu"}, "Did you mean 'status'"),
    ],
)
def test_an_error_names_the_place_and_what_is_allowed(
    client: Client, path: str, body: dict[str, Any], message: str
) -> None:
    answer = client.post(path, json=body)
    assert answer.status_code == 400
    assert answer.json is not None
    parts = answer.json
    text = f"{parts.get('where')}: {parts['message']} {parts.get('found')!r} {parts.get('allowed')} {parts.get('hint')}"
    assert re.search(message, text), text


def test_a_body_that_is_not_json_gets_a_hint(client: Client) -> None:
    answer = client.post("/_emulator/segments", data="name=x")
    assert answer.status_code == 400
    assert answer.json is not None
    assert "application/json" in answer.json["hint"]


def test_an_unknown_advertiser_or_segment_is_rejected(client: Client) -> None:
    rule = {"field": "email", "operator": "exists"}
    answer = client.post("/_emulator/segments", json={"advertiserId": "1003", "name": "x", "rule": rule})
    assert answer.status_code == 400
    assert client.get("/_emulator/segments/99").status_code == 404


def test_paging_arguments_are_checked(client: Client) -> None:
    assert client.get("/_emulator/profiles?limit=-1").status_code == 400
    assert client.get("/_emulator/profiles?limit=10001").status_code == 400
    assert client.get("/_emulator/profiles?limit=1&offset=5").json == {"profiles": []}


def test_faults_are_listed_added_and_cleared(client: Client) -> None:
    added = client.post("/_emulator/faults", json={"fault": "status", "status": 503})
    assert added.status_code == 201
    listed = client.get("/_emulator/faults").json
    assert listed == {"faults": [added.json]}
    token = {"authorization": "Bearer sa-local-write"}
    assert client.post("/graphql", json={"query": "{ user { email } }"}, headers=token).status_code == 503
    assert client.delete("/_emulator/faults").status_code == 204
    assert client.post("/graphql", json={"query": "{ user { email } }"}, headers=token).status_code == 200


def test_an_unknown_host_name_is_refused(client: Client) -> None:
    """A page that resolves its own name to loopback must not reach the emulator."""
    assert client.get("/_emulator/health", headers={"host": "evil.example"}).status_code == 400


def test_an_unknown_path_gets_json(client: Client) -> None:
    answer = client.get("/nowhere")
    assert (answer.status_code, answer.is_json) == (404, True)


def test_a_wrong_method_gets_json(client: Client) -> None:
    answer = client.delete("/_emulator/health")
    assert (answer.status_code, answer.is_json) == (405, True)


def test_pages_of_other_origins_cannot_use_the_control_api(client: Client) -> None:
    answer = client.get("/_emulator/health", headers={"origin": "http://localhost:3000"})
    assert "access-control-allow-origin" not in answer.headers


def identify_vips(client: Client, *user_ids: str) -> None:
    for name in user_ids:
        body = {"userId": name, "traits": {"email": f"{name}@example.com", "total_spent": 900}}
        assert client.post("/v1/identify", json=body, auth=("segment-local", "")).status_code == 200


def test_batches_are_paged(client: Client) -> None:
    identify_vips(client, "ada", "bob", "cyd")
    whole = client.get("/_emulator/batches").get_json()["batches"]
    assert [batch["id"] for batch in whole] == [1, 2, 3]
    assert client.get("/_emulator/batches?limit=1&offset=1").get_json()["batches"] == whole[1:2]
    assert client.get("/_emulator/batches?offset=3").get_json()["batches"] == []
    assert client.get("/_emulator/batches?limit=x").status_code == 400


def test_batches_are_filtered_by_failure(client: Client) -> None:
    client.post("/_emulator/faults", json={"fault": "status", "status": 403, "times": 1})
    identify_vips(client, "ada")
    identify_vips(client, "bob")

    def outcomes(query: str) -> list[str]:
        return [batch["outcome"] for batch in client.get(f"/_emulator/batches{query}").get_json()["batches"]]

    assert outcomes("") == ["failed", "sent"]
    assert outcomes("?failed=true") == ["failed"]
    assert outcomes("?failed=false") == ["sent"]


def test_too_many_message_ids_are_counted_not_repeated(client: Client) -> None:
    answer = client.post("/_emulator/dead-letters/replay", json={"messageIds": ["m"] * 10_001})
    assert (answer.status_code, answer.get_json()["found"]) == (400, "an array of 10001")


def test_dead_letters_are_listed_and_replayed(client: Client) -> None:
    client.post("/_emulator/faults", json={"fault": "status", "status": 403, "times": 1})
    identify_vips(client, "ada", "bob")
    listed = client.get("/_emulator/dead-letters?reason=403").get_json()["deadLetters"]
    assert [(letter["userId"], letter["outcome"]) for letter in listed] == [("ada", "failed")] * 2
    assert client.get("/_emulator/dead-letters?limit=1&offset=1").get_json()["deadLetters"] == listed[1:]
    one = {"messageIds": [listed[0]["messageId"]], "reason": "403", "destination": "StackAdapt Acme"}
    assert client.post("/_emulator/dead-letters/replay", json=one).json == {"replayed": 1}
    assert client.post("/_emulator/dead-letters/replay").json == {"replayed": 1}
    assert client.get("/_emulator/dead-letters").json == {"deadLetters": []}
    assert client.get("/_emulator/counts").get_json()["segment"]["outcomes"] == {"sent": 4}


@pytest.mark.parametrize(
    ("body", "where", "hint"),
    [
        ({"messageIDs": []}, "messageIDs", "Did you mean 'messageIds'?"),
        ({"messageIds": "m"}, "messageIds", None),
        ({"messageIds": [1]}, "messageIds[0]", None),
        ({"reason": 503}, "reason", None),
        ({"destination": "StackAdapt Acne"}, "destination", "Did you mean 'StackAdapt Acme'?"),
    ],
)
def test_an_invalid_replay_sends_nothing(client: Client, body: dict[str, Any], where: str, hint: str | None) -> None:
    status = 404 if where == "destination" else 400
    client.post("/_emulator/faults", json={"fault": "status", "status": 403, "times": 1})
    identify_vips(client, "ada")
    answer = client.post("/_emulator/dead-letters/replay", json=body)
    assert (answer.status_code, answer.get_json()["where"], answer.get_json().get("hint")) == (status, where, hint)
    assert len(client.get("/_emulator/dead-letters").get_json()["deadLetters"]) == 2


@pytest.mark.parametrize(
    "path", ["/", "/graphql", "/v1/identify", "/_emulator/profiles", "/_emulator/nowhere", "/uploads/x/"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_no_response_may_be_taken_for_another_type(client: Client, path: str, method: str) -> None:
    assert client.open(path, method=method).headers["X-Content-Type-Options"] == "nosniff"
