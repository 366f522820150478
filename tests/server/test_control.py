from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.test import Client

from emulator import Emulator


@pytest.fixture
def client() -> Iterator[Client]:
    with Emulator() as emulator:
        yield emulator.client


def test_health_says_who_and_when(client: Client) -> None:
    body = client.get("/_emulator/health").json
    assert body is not None
    assert body["status"] == "ok"
    assert body["now"].endswith("Z")


def test_the_front_page_lists_the_doors(client: Client) -> None:
    body = client.get("/").json
    assert body is not None
    assert body["stackadapt"] == "/graphql"


def test_a_body_may_have_16_megabytes(client: Client) -> None:
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
        ("/_emulator/clock/advance", {"hour": 4}, "hour: this is not a unit of time.*hours"),
        ("/_emulator/clock/advance", {"hours": -1}, "hours: .*-1.*0 to 1000000"),
        ("/_emulator/clock/advance", {"hours": "4"}, "hours: .*'4'"),
        ("/_emulator/clock/advance", {"duration": "4 hours"}, "duration: .*4 hours.*4h"),
        ("/_emulator/clock/advance", {}, "say how far"),
        ("/_emulator/segments", {"name": "x"}, "'advertiserId' is missing"),
        ("/_emulator/segments", {"advertiserId": "1001", "name": 5, "rule": {}}, "name: this is not a text"),
        ("/_emulator/faults", {"fault": "statu"}, "Did you mean 'status'"),
    ],
)
def test_bad_input_names_the_place_and_what_is_allowed(
    client: Client, path: str, body: dict[str, Any], message: str
) -> None:
    answer = client.post(path, json=body)
    assert answer.status_code == 400
    assert answer.json is not None
    parts = answer.json
    text = f"{parts.get('where')}: {parts['message']} {parts.get('found')!r} {parts.get('allowed')} {parts.get('hint')}"
    import re

    assert re.search(message, text), text


def test_a_body_that_is_not_json_says_how_to_send_one(client: Client) -> None:
    answer = client.post("/_emulator/segments", data="name=x")
    assert answer.status_code == 400
    assert answer.json is not None
    assert "application/json" in answer.json["hint"]


def test_an_unknown_advertiser_or_segment_is_named(client: Client) -> None:
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


def test_another_host_name_is_refused(client: Client) -> None:
    """A page that resolves its own name to loopback must not reach the emulator."""
    assert client.get("/_emulator/health", headers={"host": "evil.example"}).status_code == 400


def test_an_unknown_path_answers_json(client: Client) -> None:
    answer = client.get("/nowhere")
    assert (answer.status_code, answer.is_json) == (404, True)


def test_a_wrong_method_answers_json(client: Client) -> None:
    answer = client.delete("/_emulator/health")
    assert (answer.status_code, answer.is_json) == (405, True)


def test_the_control_api_is_not_open_to_pages_of_other_origins(client: Client) -> None:
    answer = client.get("/_emulator/health", headers={"origin": "http://localhost:3000"})
    assert "access-control-allow-origin" not in answer.headers


def people_enter(client: Client, *user_ids: str) -> None:
    for name in user_ids:
        body = {"userId": name, "traits": {"email": f"{name}@example.com", "total_spent": 900}}
        assert client.post("/v1/identify", json=body, auth=("segment-local", "")).status_code == 200


def test_batches_come_in_pages(client: Client) -> None:
    people_enter(client, "ada", "bob", "cyd")
    whole = client.get("/_emulator/batches").get_json()["batches"]
    assert [batch["id"] for batch in whole] == [1, 2, 3]
    assert client.get("/_emulator/batches?limit=1&offset=1").get_json()["batches"] == whole[1:2]
    assert client.get("/_emulator/batches?offset=3").get_json()["batches"] == []
    assert client.get("/_emulator/batches?limit=x").status_code == 400


def test_batches_are_those_that_failed_the_others_or_all(client: Client) -> None:
    client.post("/_emulator/faults", json={"fault": "status", "status": 403, "times": 1})
    people_enter(client, "ada")
    people_enter(client, "bob")

    def outcomes(query: str) -> list[str]:
        return [batch["outcome"] for batch in client.get(f"/_emulator/batches{query}").get_json()["batches"]]

    assert outcomes("") == ["failed", "sent"]
    assert outcomes("?failed=true") == ["failed"]
    assert outcomes("?failed=false") == ["sent"]


def test_message_ids_that_are_too_many_are_counted_and_not_repeated(client: Client) -> None:
    answer = client.post("/_emulator/dead-letters/replay", json={"messageIds": ["m"] * 10_001})
    assert (answer.status_code, answer.get_json()["found"]) == (400, "a list of 10001")


def test_dead_letters_are_listed_and_replayed(client: Client) -> None:
    client.post("/_emulator/faults", json={"fault": "status", "status": 403, "times": 1})
    people_enter(client, "ada", "bob")
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
        ({"messageIds": [1]}, "messageIds", None),
        ({"reason": 503}, "reason", None),
        ({"destination": "StackAdapt Acne"}, "destination", "Did you mean 'StackAdapt Acme'?"),
    ],
)
def test_a_replay_that_chooses_by_mistake_sends_nothing(
    client: Client, body: dict[str, Any], where: str, hint: str | None
) -> None:
    status = 404 if where == "destination" else 400
    client.post("/_emulator/faults", json={"fault": "status", "status": 403, "times": 1})
    people_enter(client, "ada")
    answer = client.post("/_emulator/dead-letters/replay", json=body)
    assert (answer.status_code, answer.get_json()["where"], answer.get_json().get("hint")) == (status, where, hint)
    assert len(client.get("/_emulator/dead-letters").get_json()["deadLetters"]) == 2
