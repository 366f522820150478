"""`POST /v1/*` over WSGI: authentication, encodings, limits and answers of the Tracking API."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import Client

from emulator.events import CallReceived
from emulator.segment.http import blueprint
from tests.segment.conftest import OpenEnv, SegmentEnv

KEY = "segment-local"
BASIC = {"authorization": "Basic " + base64.b64encode(f"{KEY}:".encode()).decode()}
IDENTIFY = {"userId": "u1", "traits": {"email": "ada@example.com", "total_spent": 900}}


@pytest.fixture
def client(segment_env: SegmentEnv) -> Client:
    app = Flask("tracking")
    app.register_blueprint(
        blueprint(lambda key: segment_env.segment if key == KEY else None, lambda: segment_env.segment)
    )
    return app.test_client()


def post(client: Client, route: str, body: Any, **headers: str) -> tuple[int, Any]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = client.post(f"/v1/{route}", data=raw, headers={"content-type": "application/json", **BASIC, **headers})
    return answer.status_code, answer.json


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("identify", IDENTIFY),
        ("track", {"userId": "u", "event": "e"}),
        ("page", {"userId": "u"}),
        ("screen", {"userId": "u"}),
        ("group", {"userId": "u", "groupId": "g"}),
        ("alias", {"userId": "u", "previousId": "p"}),
        ("batch", {"batch": [{"type": "identify", **IDENTIFY}]}),
        ("import", {"batch": [{"type": "identify", **IDENTIFY}]}),
        ("identify/", IDENTIFY),
        ("batch/", {"batch": [{"type": "identify", **IDENTIFY}]}),
    ],
)
def test_every_endpoint_answers_200_success(client: Client, segment_env: SegmentEnv, route: str, body: Any) -> None:
    assert post(client, route, body) == (200, {"success": True})
    assert segment_env.segment.counts()["calls"] == {"accepted": 1, "failed": {}}


def test_a_disabled_source_answers_200_and_lists_the_call_as_dropped(open_env: OpenEnv, document: Any) -> None:
    document["sources"][0]["enabled"] = False
    segment_env = open_env(document)
    app = Flask("tracking")
    find = {KEY: segment_env.segment}.get
    app.register_blueprint(blueprint(find, lambda: segment_env.segment))
    assert post(app.test_client(), "identify", IDENTIFY) == (200, {"success": True})
    [heard] = segment_env.heard(CallReceived)
    assert (heard.source, heard.call, heard.accepted, heard.reason) == ("Website", "identify", False, "SOURCE_DISABLED")


@pytest.mark.parametrize(
    "body", [{}, {"userId": ""}, {"userId": "u", "traits": 5}], ids=["no id", "empty id", "traits not an object"]
)
def test_a_rejected_call_is_answered_200(client: Client, segment_env: SegmentEnv, body: Any) -> None:
    """Segment's documentation: everything but size and malformed JSON returns 200."""
    assert post(client, "identify", body) == (200, {"success": True})
    assert segment_env.segment.counts()["calls"]["accepted"] == 0
    [heard] = segment_env.heard(CallReceived)
    assert (heard.accepted, heard.source, heard.call) == (False, "Website", "identify")
    assert heard.reason in {"no_user_anon_id", "id_not_string", "traits_not_object"}


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (BASIC, {}),
        ({"authorization": "Basic " + base64.b64encode(KEY.encode()).decode()}, {}),
        ({}, {"writeKey": KEY}),
        (BASIC, {"writeKey": "another"}),
        ({"authorization": "Bearer token"}, {"writeKey": KEY}),
    ],
    ids=["basic", "basic without colon", "body", "basic before body", "bearer and body"],
)
def test_the_write_key_comes_with_basic_authentication_or_in_the_body(
    client: Client, headers: dict[str, str], body: dict[str, Any]
) -> None:
    answer = client.post("/v1/identify", json={**IDENTIFY, **body}, headers=headers)
    assert answer.status_code == 200


@pytest.mark.parametrize("value", ["Basic", "Basic \xff\xfe", "Basic !", "Basic AAAA/w=="])
def test_invalid_basic_authentication_is_ignored(client: Client, value: str) -> None:
    headers = {"authorization": value}
    assert client.post("/v1/identify", json={**IDENTIFY, "writeKey": KEY}, headers=headers).status_code == 200
    refused = client.post("/v1/identify", json=IDENTIFY, headers=headers)
    assert refused.status_code == 400
    assert refused.json is not None
    assert refused.json["message"] == "The request has no write key."


@pytest.mark.parametrize("key", [None, "", "wrong", 5])
def test_an_unknown_write_key_is_rejected_with_its_reason(client: Client, segment_env: SegmentEnv, key: Any) -> None:
    answer = client.post("/v1/identify", json={**IDENTIFY, "writeKey": key})
    assert answer.status_code == 400
    assert answer.json is not None
    assert (answer.json["success"], answer.json["code"]) == (False, "unknown_source")
    assert "write key" in answer.json["message"]
    assert "wrong" not in answer.text
    assert segment_env.segment.counts()["calls"]["accepted"] == 0


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"5",
        b"null",
        b'{"userId": NaN}',
        b"\xff\xfe",
        b'{"a":' * 3000 + b"1" + b"}" * 3000,
        b'{"a": 1}x',
        b'{"a": 1e999}',
    ],
    ids=["empty", "cut", "list", "number", "null", "NaN", "not UTF-8", "too deep", "more behind", "infinite"],
)
def test_malformed_json_is_rejected_with_code_and_message(client: Client, raw: bytes) -> None:
    """Older Python libraries retry a 400 that has no `code`."""
    status, body = post(client, "identify", raw)
    assert status == 400
    assert {key: body[key] for key in ("success", "message", "code")} == {
        "success": False,
        "message": "malformed JSON",
        "code": "invalid_request",
    }


@pytest.mark.parametrize(("depth", "status"), [(64, 200), (65, 400), (900, 400)])
def test_nesting_has_a_limit(client: Client, depth: int, status: int) -> None:
    inner = depth - 2
    raw = b'{"userId": "u", "traits": {"total_spent": 900, "x": ' + b"[" * inner + b"]" * inner + b"}}"
    assert post(client, "identify", raw)[0] == status


def test_gzip_is_decompressed(client: Client, segment_env: SegmentEnv) -> None:
    raw = gzip.compress(json.dumps(IDENTIFY).encode())
    assert post(client, "identify", raw, **{"content-encoding": "gzip"}) == (200, {"success": True})
    assert segment_env.segment.counts()["calls"]["accepted"] == 1


def test_gzip_is_decompressed_to_its_last_member(client: Client, segment_env: SegmentEnv) -> None:
    text = json.dumps({"batch": [{**IDENTIFY, "type": "identify", "messageId": str(n)} for n in range(3)]}).encode()
    raw = b"".join(gzip.compress(text[at : at + 7]) for at in range(0, len(text), 7))
    assert post(client, "batch", raw, **{"content-encoding": "gzip"}) == (200, {"success": True})
    assert segment_env.segment.counts()["calls"]["accepted"] == 3


@pytest.mark.parametrize(
    "raw",
    [b"{}", gzip.compress(b'{"userId": "u"}')[:-9], gzip.compress(b'{"userId": "u"}') + b"more"],
    ids=["not gzip", "cut short", "followed by something else"],
)
def test_malformed_gzip_is_rejected(client: Client, raw: bytes) -> None:
    status, body = post(client, "identify", raw, **{"content-encoding": "gzip"})
    assert (status, body["code"], body["message"]) == (400, "invalid_request", "malformed gzip")


def sized(bytes_: int) -> dict[str, Any]:
    """An identify call of exactly so many bytes."""
    empty = len(json.dumps({"userId": "u", "traits": {"x": ""}}))
    return {"userId": "u", "traits": {"x": "x" * (bytes_ - empty)}}


def test_a_call_may_have_32_kilobytes(client: Client) -> None:
    assert post(client, "identify", sized(32 * 1024))[0] == 200
    status, body = post(client, "identify", sized(32 * 1024 + 1))
    assert (status, body["message"]) == (400, "Exceed payload limit")


def test_a_batch_may_have_500_kilobytes(client: Client) -> None:
    items = [{"type": "identify", **sized(30_000)} for _ in range(16)]
    body = json.dumps({"batch": items}).encode()
    limit = 500 * 1024
    assert post(client, "batch", body + b" " * (limit - len(body)))[0] == 200
    assert post(client, "batch", body + b" " * (limit - len(body) + 1))[0] == 400


def test_an_item_of_a_batch_may_have_32_kilobytes(client: Client) -> None:
    call = {"type": "identify", "userId": "u", "traits": {"x": ""}}
    segment_env = 32 * 1024 - len(json.dumps(call, separators=(",", ":")))
    for size, status in ((segment_env, 200), (segment_env + 1, 400)):
        item = call | {"traits": {"x": "x" * size}}
        assert post(client, "batch", {"batch": [item, item]})[0] == status


def test_an_item_of_a_batch_may_not_exceed_32_kilobytes(client: Client) -> None:
    body = {"batch": [{"type": "identify", "userId": "u"}, {"type": "identify", **sized(33 * 1024)}]}
    status, answer = post(client, "batch", body)
    assert (status, answer["message"]) == (400, "batch[1] is larger than 32 KB")


def test_a_gzip_bomb_is_rejected_without_being_decompressed(client: Client) -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    status, body = post(client, "batch", bomb, **{"content-encoding": "gzip"})
    assert (status, body["message"]) == (400, "Exceed payload limit")


def test_a_body_beyond_the_server_s_limit_is_answered_400(client: Client) -> None:
    """Segment's documentation knows no 413 here."""
    status, body = post(client, "batch", b" " * (17 * 1024 * 1024))
    assert (status, body["message"]) == (400, "Exceed payload limit")


@pytest.mark.parametrize(
    ("initial", "body"),
    [
        ("i", IDENTIFY),
        ("t", {"userId": "u", "event": "e"}),
        ("p", {"anonymousId": "a"}),
        ("s", {"anonymousId": "a"}),
        ("g", {"userId": "u", "groupId": "g"}),
        ("a", {"userId": "u", "previousId": "p"}),
        ("b", {"batch": [{"type": "identify", **IDENTIFY}]}),
        ("t/", {"userId": "u", "event": "e"}),
    ],
)
def test_a_one_letter_route_is_the_call_with_that_initial(
    client: Client, segment_env: SegmentEnv, initial: str, body: Any
) -> None:
    assert post(client, initial, body) == (200, {"success": True})
    assert segment_env.segment.counts()["calls"] == {"accepted": 1, "failed": {}}


def test_other_letters_are_not_found(client: Client) -> None:
    assert post(client, "x", IDENTIFY)[0] == 404


def test_a_browser_may_send_the_library_s_headers_and_read_the_response(
    client: Client, segment_env: SegmentEnv
) -> None:
    """Analytics.js sends JSON as text/plain, the write key twice and a count of retries, from a page of any origin."""
    origin = {"origin": "http://localhost:3000"}
    asked = client.options(
        "/v1/i",
        headers={
            **origin,
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization,x-retry-count",
        },
    )
    assert asked.status_code == 200
    assert asked.headers["access-control-allow-origin"] == "*"
    allowed = {name.strip().lower() for name in asked.headers["access-control-allow-headers"].split(",")}
    assert {"authorization", "x-retry-count", "content-type"} <= allowed
    sent = client.post(
        "/v1/i",
        data=json.dumps({**IDENTIFY, "writeKey": KEY}),
        headers={**origin, **BASIC, "content-type": "text/plain", "x-retry-count": "1"},
    )
    assert (sent.status_code, sent.json) == (200, {"success": True})
    assert sent.headers["access-control-allow-origin"] == "*"
    assert segment_env.segment.counts()["calls"]["accepted"] == 1


def test_a_browser_may_read_an_error(client: Client) -> None:
    refused = client.post("/v1/i", data="{", headers={"origin": "http://localhost:3000", "content-type": "text/plain"})
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (400, "*")


def test_other_methods_are_not_allowed(client: Client) -> None:
    assert client.get("/v1/identify").status_code == 405


def test_half_a_surrogate_pair_becomes_the_replacement_character(client: Client, segment_env: SegmentEnv) -> None:
    raw = b'{"userId": "u\\ud800", "traits": {"\\udfff": ["\\ud83d\\ude00", "\\uD83D"]}}'
    assert post(client, "identify", raw)[0] == 200
    [profile] = segment_env.segment.profiles()
    assert profile["userId"] == "u\ufffd"
    assert profile["traits"] == {"\ufffd": ["😀", "\ufffd"]}


def test_a_message_seen_within_24_hours_is_dropped(client: Client, segment_env: SegmentEnv) -> None:
    message = {**IDENTIFY, "messageId": "m1"}
    for _ in range(2):
        assert post(client, "identify", message) == (200, {"success": True})
    assert segment_env.segment.counts()["calls"] == {"accepted": 1, "failed": {"duplicate": 1}}
    segment_env.advance(hours=24)
    post(client, "identify", message)
    assert segment_env.segment.counts()["calls"]["accepted"] == 1
    segment_env.advance(seconds=1)
    post(client, "identify", message)
    assert segment_env.segment.counts()["calls"]["accepted"] == 2


def test_each_call_of_a_batch_is_one_entry_in_the_journal(client: Client, segment_env: SegmentEnv) -> None:
    items = [
        {"type": "identify", "userId": "u", "messageId": "1"},
        {"type": "track", "userId": "u", "messageId": "2"},
        {"type": "page", "anonymousId": "a", "messageId": "3"},
    ]
    post(client, "batch", {"batch": items})
    heard = [(call.call, call.message_id, call.accepted, call.reason) for call in segment_env.heard(CallReceived)]
    assert heard == [
        ("identify", "1", True, None),
        ("track", "2", False, "event_not_defined"),
        ("page", "3", True, None),
    ]


@pytest.mark.parametrize("given", [{"userId": {1, 2}}, {"userId": float("nan")}])
def test_a_mapping_that_is_not_json_is_rejected_in_process(open_env: OpenEnv, document: Any, given: Any) -> None:
    from emulator.errors import InputError

    with pytest.raises(InputError):
        open_env(document).segment.ingest("identify", given)
