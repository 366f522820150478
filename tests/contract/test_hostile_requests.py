"""Requests that nobody sends on purpose: each is refused with its place, none breaks the server."""

from __future__ import annotations

import pytest

from emulator import Emulator

RULE = '{"field": "email", "operator": "exists"}'


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("/_emulator/clock/advance", '{"hours": NaN}', "not JSON: NaN"),
        ("/_emulator/clock/advance", '{"hours": 1e400}', "not JSON: a number is too large"),
        ("/_emulator/clock/advance", '{"hours": ' + "[" * 100_000 + "]" * 100_000 + "}", "nested too deeply"),
        ("/_emulator/clock/advance", '{"hours": ' + "[" * 100 + "]" * 100 + "}", "nested too deeply"),
        ("/_emulator/clock/advance", '{"duration": "1s\\n"}', "not a duration"),
        ("/_emulator/clock/advance", '{"duration": "99999999999999999d"}', "too long"),
        ("/_emulator/segments", '{"advertiserId": "1001", "name": "\\ud800", "rule": ' + RULE + "}", "surrogate"),
        ("/_emulator/segments", '{"advertiserId": "1001", "name": "x", "rul": 1, "rule": ' + RULE + "}", "no such"),
        ("/_emulator/sandboxes", "null", "must be a JSON object"),
        ("/_emulator/sandboxes", '{"seed": ' + "9" * 5000 + "}", "not JSON"),
    ],
    ids=["nan", "infinite", "very deep", "deep", "line break", "long", "surrogate", "unknown key", "null", "digits"],
)
def test_a_body_that_cannot_be_meant_is_refused(emulator: Emulator, path: str, body: str, message: str) -> None:
    answer = emulator.client.post(path, data=body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json is not None
    assert message in answer.json["message"]


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("/_emulator/profiles?limit=" + "9" * 5000, "limit"),
        ("/_emulator/journal?status=" + "9" * 5000, "status"),
        ("/_emulator/batches?failed=yes", "failed"),
        ("/_emulator/deliveries?outcome=snet", "outcome"),
    ],
    ids=["limit", "status", "failed", "outcome"],
)
def test_an_argument_that_cannot_be_meant_is_refused(emulator: Emulator, path: str, where: str) -> None:
    answer = emulator.client.get(path)
    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["where"] == where


def test_time_cannot_be_moved_to_where_it_ends(emulator: Emulator) -> None:
    statuses = [
        emulator.client.post("/_emulator/clock/advance", json={"days": 1_000_000}).status_code for _ in range(4)
    ]
    assert statuses == [200, 200, 400, 400]
    assert emulator.client.get("/_emulator/counts").status_code == 200


def test_a_method_that_is_not_allowed_is_answered_with_those_that_are(emulator: Emulator) -> None:
    answer = emulator.client.delete("/_emulator/health")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]


def test_a_segment_takes_another_name_and_another_rule(emulator: Emulator) -> None:
    renamed = emulator.client.patch("/_emulator/segments/1", json={"name": "All of them"}).json
    assert renamed is not None
    assert (renamed["name"], renamed["size"]) == ("All of them", 2)
    rule = {"field": "email", "operator": "equals", "value": "ada@example.com"}
    changed = emulator.client.patch("/_emulator/segments/1", json={"rule": rule}).json
    assert changed is not None
    assert (changed["name"], changed["members"]) == ("All of them", ["ada@example.com"])


@pytest.mark.parametrize("changes", [{}, {"id": "2"}, {"rule": None}, {"name": ""}, {"rule": {"all": []}}], ids=str)
def test_a_change_that_cannot_be_meant_leaves_a_segment_alone(emulator: Emulator, changes: dict[str, object]) -> None:
    before = emulator.client.get("/_emulator/segments/1").json
    assert emulator.client.patch("/_emulator/segments/1", json=changes).status_code == 400
    assert emulator.client.get("/_emulator/segments/1").json == before
