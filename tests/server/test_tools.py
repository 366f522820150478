"""`explain`, `map`, `lint` and `validate` over HTTP answer what the commands print with `--json`."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from emulator import Emulator, load_workspace
from emulator.clock import Clock
from emulator.stackadapt.tables import STACKADAPT
from emulator.workspace_document import document_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ACME = "StackAdapt Acme"
TOOLS = ("explain", "map", "lint", "validate")
CALL = {"type": "identify", "userId": "u1", "messageId": "m1", "traits": {"email": "ada@example.com"}}
ENGAGE = {
    **CALL,
    "context": {"personas": {"computation_class": "audience", "computation_id": "aud_1", "computation_key": "vips"}},
    "traits": {"email": "ada@example.com", "vips": True},
}
BAD_MAPPING = {"email": {"@path": "$.traits.mail"}}

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(replace(load_workspace(), seed=1), clock=Clock(frozen_at=NOON)) as emulator:
        yield emulator


def post(emulator: Emulator, tool: str, body: Any = None, status: int = 200) -> Any:
    asked = {} if body is None else {"json": body}
    response = emulator.client.post(f"/_emulator/{tool}", **asked)
    assert response.status_code == status, response.text
    return response.get_json()


@pytest.fixture
def file(tmp_path: Path) -> Callable[[Any], str]:
    def file(content: Any) -> str:
        path = tmp_path / "content.json"
        path.write_text(json.dumps(content))
        return str(path)

    return file


def without_times_and_ids(value: Any) -> Any:
    """What does not depend on when, and in which emulator, an event was sent."""
    if isinstance(value, dict):
        return {
            key: without_times_and_ids(each)
            for key, each in value.items()
            if key not in ("at", "dueAt", "receivedAt", "requestId", "emulator")
        }
    return [*map(without_times_and_ids, value)] if isinstance(value, list) else value


@pytest.mark.parametrize("event", [CALL, ENGAGE, {"type": "page"}, {}], ids=["call", "Engage", "page", "empty"])
def test_explain_answers_what_the_command_prints(
    emulator: Emulator, call: Run, file: Callable[[Any], str], event: dict[str, Any]
) -> None:
    printed = json.loads(call("explain", "--json", file(event)).stdout)
    for body in ({"event": event}, {"event": event, "destination": ACME}):
        found = post(emulator, "explain", body)
        assert without_times_and_ids(found) == without_times_and_ids(printed)


@pytest.mark.parametrize("batch", [False, True])
def test_map_answers_what_the_command_prints(
    emulator: Emulator, call: Run, file: Callable[[Any], str], batch: bool
) -> None:
    events = [ENGAGE, CALL, {"type": "page"}]
    flag = ["--batch"] if batch else []
    printed = [json.loads(line) for line in call("map", "--json", *flag, file(events)).stdout.splitlines()]
    assert post(emulator, "map", {"events": events, "batch": batch}) == {"requests": printed}
    assert post(emulator, "map", {"event": ENGAGE})["requests"][0]["document"]


def test_lint_answers_what_the_command_prints(emulator: Emulator, call: Run, file: Callable[[Any], str]) -> None:
    workspace = document_of(emulator.sandbox.workspace)
    workspace["destinations"][0]["subscriptions"][0]["mapping"] = BAD_MAPPING
    printed = json.loads(call("lint", "--json", file(workspace)).stdout)
    assert printed["findings"]
    assert post(emulator, "lint", {"workspace": workspace}) == printed
    assert post(emulator, "lint", {"mapping": BAD_MAPPING}) == printed
    assert post(emulator, "lint") == json.loads(call("lint", "--json").stdout)


@pytest.mark.parametrize(
    ("name", "content"),
    [("event", CALL), ("event", {**CALL, "traits": []}), ("event", {"batch": [CALL]}), ("mapping", BAD_MAPPING)],
    ids=["call", "wrong call", "batch", "mapping"],
)
def test_validate_answers_what_the_command_prints(
    emulator: Emulator, call: Run, file: Callable[[Any], str], name: str, content: dict[str, Any]
) -> None:
    printed = json.loads(call("validate", "--json", file(content)).stdout)
    found = post(emulator, "validate", {name: content})
    assert found["summary"] == printed["summary"]
    assert [{**each, "file": None} for each in found["findings"]] == [
        {**each, "file": None} for each in printed["findings"]
    ]


def test_without_a_body_the_workspace_of_the_sandbox_is_validated(emulator: Emulator) -> None:
    own = document_of(emulator.sandbox.workspace)
    assert post(emulator, "validate") == post(emulator, "validate", {"workspace": own})
    assert post(emulator, "validate")["summary"]["kinds"] == {"workspace": 1}


def test_a_workspace_with_mistakes_is_validated_with_all_of_them(emulator: Emulator) -> None:
    found = post(emulator, "validate", {"workspace": {"advertisers": [], "tokens": 7}})
    assert found["summary"]["errors"] >= 1
    refused = post(emulator, "lint", {"workspace": {"advertisers": [], "tokens": 7}}, status=400)
    assert "tokens" in refused["where"]


def test_a_mapping_is_tried_on_the_destination_instance(emulator: Emulator) -> None:
    [explanation] = post(emulator, "explain", {"event": ENGAGE, "mapping": BAD_MAPPING})["explanations"]
    assert explanation["stopped"] == "validation"
    assert "email" in explanation["message"]
    [own] = post(emulator, "explain", {"event": ENGAGE})["explanations"]
    assert own["stopped"] is None


def test_a_sandbox_uses_its_own_workspace(emulator: Emulator) -> None:
    workspace = document_of(emulator.sandbox.workspace)
    workspace["destinations"][0]["name"] = "Other"
    emulator.client.post("/_emulator/sandboxes", json={"name": "other", "workspace": workspace})
    headers = {"X-Emulator-Sandbox": "other"}
    body = {"event": ENGAGE, "destination": "Other"}
    assert emulator.client.post("/_emulator/explain", json=body, headers=headers).status_code == 200
    assert emulator.client.post("/_emulator/explain", json=body).status_code == 404


@pytest.mark.parametrize("tool", TOOLS)
def test_nothing_is_left_behind(emulator: Emulator, tool: str) -> None:
    def rows() -> Any:
        with emulator.sandbox.store.begin() as connection:
            return {table.name: connection.execute(table.select()).all() for table in STACKADAPT.sorted_tables}

    before, cursor = rows(), emulator.sandbox.journal.cursor()
    post(emulator, tool, None if tool == "lint" else {"event": ENGAGE})
    assert (rows(), emulator.sandbox.journal.cursor()) == (before, cursor)


WRONG: list[tuple[str, Any, int, str]] = [
    ("explain", {}, 400, "/_emulator/explain"),
    ("explain", {"event": []}, 400, "event"),
    ("explain", {"event": CALL, "destination": "stackadapt acme"}, 404, "destination"),
    ("explain", {"event": CALL, "destination": "../ Zoë 😀"}, 404, "destination"),
    ("explain", {"event": CALL, "mapping": []}, 400, "mapping"),
    ("explain", {"event": CALL, "workspace": {}}, 400, "workspace"),
    ("explain", {"event": CALL, "wrokspace": {}}, 400, "wrokspace"),
    ("map", {}, 400, "/_emulator/map"),
    ("map", {"event": CALL, "events": [CALL]}, 400, "/_emulator/map"),
    ("map", {"events": [7]}, 400, "events[0]"),
    ("map", {"events": [CALL], "batch": "yes"}, 400, "batch"),
    ("lint", {"event": CALL}, 400, "event"),
    ("lint", {"workspace": "x"}, 400, "workspace"),
    ("lint", {"destination": "nowhere"}, 404, "destination"),
    ("validate", {"event": CALL, "mapping": {}}, 400, "/_emulator/validate"),
    ("validate", {"document": {}}, 400, "document"),
    ("validate", {"event": "x"}, 400, "event"),
]


@pytest.mark.parametrize(("tool", "body", "status", "where"), WRONG)
def test_a_wrong_body_is_named(emulator: Emulator, tool: str, body: Any, status: int, where: str) -> None:
    refused = post(emulator, tool, body, status=status)
    assert refused["where"].startswith(where)
    assert refused["message"]


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b"null", b'{"event": NaN}', b"\xff"])
def test_a_body_that_is_not_an_object_is_refused(emulator: Emulator, tool: str, body: bytes) -> None:
    response = emulator.client.post(f"/_emulator/{tool}", data=body, content_type="application/json")
    assert response.status_code == 400


@pytest.mark.parametrize(
    "mapping", [{"email": {"@nope": 1}}, {"x": {"@liquid": "{{"}}, {"@if": 7}, {"": {}}, {"a": None}]
)
def test_any_mapping_has_an_answer(emulator: Emulator, mapping: dict[str, Any]) -> None:
    for tool in ("explain", "map"):
        post(emulator, tool, {"event": ENGAGE, "mapping": mapping})
    post(emulator, "lint", {"mapping": mapping})
    post(emulator, "validate", {"mapping": mapping})


def test_a_workspace_without_a_destination_instance_names_none(emulator: Emulator) -> None:
    workspace = yaml.safe_load(json.dumps(document_of(emulator.sandbox.workspace)))
    workspace["destinations"] = []
    refused = post(emulator, "explain", {"event": CALL, "workspace": workspace}, status=404)
    assert refused["where"] == "destination"
    assert post(emulator, "lint", {"workspace": workspace})["findings"]
