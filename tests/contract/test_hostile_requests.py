"""Malformed requests: each is refused with its place, none causes a server error."""

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
        ("/_emulator/clock/advance", '{"duration": "1s\\n"}', "invalid duration"),
        ("/_emulator/clock/advance", '{"duration": "99999999999999999d"}', "too long"),
        ("/_emulator/segments", '{"advertiserId": "1001", "name": "\\ud800", "rule": ' + RULE + "}", "surrogate"),
        (
            "/_emulator/segments",
            '{"advertiserId": "1001", "name": "x", "rul": 1, "rule": ' + RULE + "}",
            "unknown key",
        ),
        ("/_emulator/sandboxes", "null", "must be a JSON object"),
        ("/_emulator/sandboxes", '{"seed": ' + "9" * 5000 + "}", "not JSON"),
    ],
    ids=["nan", "infinite", "very deep", "deep", "line break", "long", "surrogate", "unknown key", "null", "digits"],
)
def test_an_invalid_body_is_refused(emulator: Emulator, path: str, body: str, message: str) -> None:
    response = emulator.client.post(path, data=body, content_type="application/json")
    assert response.status_code == 400
    assert response.json is not None
    assert message in response.json["message"]


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
def test_an_invalid_argument_is_refused(emulator: Emulator, path: str, where: str) -> None:
    response = emulator.client.get(path)
    assert response.status_code == 400
    assert response.json is not None
    assert response.json["where"] == where


def test_the_clock_cannot_advance_past_the_last_date(emulator: Emulator) -> None:
    statuses = [
        emulator.client.post("/_emulator/clock/advance", json={"days": 1_000_000}).status_code for _ in range(4)
    ]
    assert statuses == [200, 200, 400, 400]
    assert emulator.client.get("/_emulator/counts").status_code == 200


def test_a_method_that_is_not_allowed_gets_the_allowed_ones(emulator: Emulator) -> None:
    response = emulator.client.delete("/_emulator/health")
    assert response.status_code == 405
    assert "GET" in response.headers["Allow"]


def test_name_and_rule_of_a_segment_can_be_changed(emulator: Emulator) -> None:
    renamed = emulator.client.patch("/_emulator/segments/1", json={"name": "All of them"}).json
    assert renamed is not None
    assert (renamed["name"], renamed["size"]) == ("All of them", 2)
    rule = {"field": "email", "operator": "equals", "value": "ada@example.com"}
    changed = emulator.client.patch("/_emulator/segments/1", json={"rule": rule}).json
    assert changed is not None
    assert (changed["name"], changed["members"]) == ("All of them", ["ada@example.com"])


@pytest.mark.parametrize("changes", [{}, {"id": "2"}, {"rule": None}, {"name": ""}, {"rule": {"all": []}}], ids=str)
def test_an_invalid_change_does_not_alter_a_segment(emulator: Emulator, changes: dict[str, object]) -> None:
    before = emulator.client.get("/_emulator/segments/1").json
    assert emulator.client.patch("/_emulator/segments/1", json=changes).status_code == 400
    assert emulator.client.get("/_emulator/segments/1").json == before
