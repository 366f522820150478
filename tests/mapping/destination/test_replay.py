"""Recorded cases: reading, replaying and comparing."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from emulator.errors import InputError
from emulator.harness.recorded_cases import compare, read_cases, replay

TRANSFORM: dict[str, Any] = {"id": "t", "kind": "transform", "mapping": {"a": {"@path": "$.x"}}, "payload": {"x": 1.0}}
FQL: dict[str, Any] = {"id": "f", "kind": "fql", "fql": 'type = "track"', "event": {"type": "track"}}


@pytest.fixture
def destination() -> dict[str, Any]:
    return {
        "id": "d",
        "generation": "3.497.0",
        "mode": "delete",
        "settings": {"apiKey": "k", "advertiser_id": "1"},
        "subscriptions": [],
        "events": [{"userId": "u"}],
        "responses": [{"status": 200, "body": {"data": {"deleteProfilesWithExternalIds": {"userErrors": []}}}}],
    }


def test_a_transform_case_has_an_output() -> None:
    assert replay(TRANSFORM) == {"id": "t", "output": {"a": 1.0}}
    assert compare({**TRANSFORM, "expected": {"output": {"a": 1}}}, replay(TRANSFORM)) == []


def test_an_event_that_is_not_an_object_fails_before_the_mapping() -> None:
    outcome = replay({"id": "x", "kind": "transform", "mapping": {"@nope": 1}, "payload": []})
    assert outcome["error"]["message"] == "data must be an object, got array"


def test_key_order_counts_in_an_output() -> None:
    case = {**TRANSFORM, "mapping": {"b": 1, "a": 2}, "expected": {"output": {"a": 2, "b": 1}}}
    (difference,) = compare(case, replay(case))
    assert (difference.where, difference.expected, difference.found) == ("output", '{"a":2,"b":1}', '{"b":1,"a":2}')


def test_an_fql_case_has_a_match() -> None:
    assert replay(FQL) == {"id": "f", "match": True}
    assert [found.where for found in compare({**FQL, "expected": {"match": False}}, replay(FQL))] == ["match"]


def test_error_messages_must_be_equal() -> None:
    broken = {**TRANSFORM, "mapping": {"@nope": 1}, "expected": {"error": {"message": "other"}}}
    assert [found.where for found in compare(broken, replay(broken))] == ["error.message"]
    template = {**TRANSFORM, "mapping": {"a": {"@liquid": "{% for"}}, "expected": {"error": {"message": "other"}}}
    assert [found.where for found in compare(template, replay(template))] == ["error.message"]
    fine = {**TRANSFORM, "expected": {"error": {"message": "other"}}}
    assert [found.where for found in compare(fine, replay(fine))] == ["output", "error"]


def test_requests_are_compared_part_by_part(destination: dict[str, Any]) -> None:
    outcome = replay(destination)
    (request,) = outcome["requests"]
    assert request["path"] == "/graphql"
    expected = {"results": outcome["results"], "requests": [{**request, "body": request["body"] + " "}]}
    assert [found.where for found in compare({**destination, "expected": expected}, outcome)] == ["requests.0.body"]
    expected["requests"] = []
    assert [found.where for found in compare({**destination, "expected": expected}, outcome)] == ["requests.length"]


def test_a_connection_reset_can_be_scripted(destination: dict[str, Any]) -> None:
    error = replay({**destination, "responses": [{"reset": True}]})["error"]
    assert (error["name"], error["code"]) == ("FetchError", "ECONNRESET")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "transfrom"}, "Did you mean 'transform'"),
        ({"mode": "batched"}, "Did you mean 'batch'"),
        ({"responses": []}, "fewer responses than requests"),
    ],
)
def test_an_invalid_case_is_an_error(destination: dict[str, Any], change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as raised:
        replay({**destination, **change})
    assert raised.value.where == "case d"


def test_missing_members_of_a_case_are_an_error(destination: dict[str, Any]) -> None:
    del destination["settings"], destination["events"]
    with pytest.raises(InputError, match="missing settings, events"):
        replay(destination)


def test_a_case_without_an_expected_outcome_cannot_be_compared() -> None:
    with pytest.raises(InputError, match="`expected`"):
        compare(TRANSFORM, replay(TRANSFORM))


@pytest.mark.parametrize("name", ["cases.jsonl", "cases.jsonl.gz"])
def test_cases_are_read_from_plain_and_gzipped_files(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    content = b'{"id": 1}\n\n{"id": 12345678901234567890}\n'
    path.write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    assert [case["id"] for case in read_cases(path)] == [1, 12345678901234567000.0]


@pytest.mark.parametrize(("line", "message"), [(b"{", "not JSON"), (b"[1]", "invalid recorded case")])
def test_an_invalid_line_is_an_error_with_file_and_number(tmp_path: Path, line: bytes, message: str) -> None:
    path = tmp_path / "cases.jsonl"
    path.write_bytes(b'{"id": 1}\n' + line + b"\n")
    with pytest.raises(InputError, match=message) as raised:
        list(read_cases(path))
    assert raised.value.where == f"{path}:2"


@pytest.mark.parametrize("content", [None, b"\x1f\x8b not packed"], ids=["missing", "broken"])
def test_an_unreadable_file_is_an_error(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "cases.jsonl.gz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match="cannot read") as raised:
        list(read_cases(path))
    assert str(path) in raised.value.message
