"""The page *Plan*: what its forms send, and what `POST /_emulator/plan` answers them."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator
from werkzeug.test import Client, TestResponse

from emulator.artefacts import contract_json, fixture
from emulator.server.emulator import Emulator
from tests.console.pages import page

PATH = "/console/plan"
YAML = fixture("workspace.yaml").read_text(encoding="utf-8")
NARROW = YAML.replace("value: 500}", "value: 4000}")
ADA = {"type": "identify", "userId": "u1", "traits": {"email": "ada@example.com", "total_spent": 900}}


def ask(client: Client, query: str = "?format=text", **body: Any) -> TestResponse:
    return client.post(f"/_emulator/plan{query}", json=body)


def test_the_page_sends_what_the_operation_takes(client: Client) -> None:
    shown = page(client, PATH)
    forms = [form for form in shown.all("form") if form.get("data-action") == "plan"]
    assert [(form["data-method"], form["data-path"], form["data-show"]) for form in forms] == [
        ("POST", "/_emulator/plan", "planned")
    ] * 2
    named = {field["name"] for tag in ("input", "select", "textarea") for field in shown.all(tag) if field.get("name")}
    assert named >= {"new", "people", "seed", "known", "advance", "?format"}
    assert "3.497.0" in shown.text
    assert "2026-06" in shown.text


def test_no_field_is_sent_that_known_people_are_refused_with(client: Client) -> None:
    """A field without a value is left out."""
    fields = [field for field in page(client, PATH).all("input") if field.get("name") in ("people", "seed")]
    assert len(fields) == 4
    assert not any(field.get("value") for field in fields)


def test_the_active_workspace_is_shown_on_request_and_not_beside_masked_data(client: Client) -> None:
    token = "sa-local-write"
    assert token not in page(client, PATH).text
    revealed = page(client, f"{PATH}?reveal=on").text
    assert token in revealed
    assert token not in page(client, f"{PATH}?reveal=on&mask=on").text
    active = client.get("/_emulator/workspace?format=yaml").text
    assert "No profile changes." in ask(client, new=active, people=10).text


def test_a_pasted_workspace_is_compared_for_the_people_whom_the_sandbox_knows() -> None:
    with Emulator() as emulator:
        emulator.segment.ingest("batch", {"batch": [ADA]})
        answer = ask(emulator.client, new=NARROW, known=True, advance="1d")
        masked = ask(emulator.client, "?format=text&mask=true", new=NARROW, known=True).text
    assert answer.mimetype == "text/plain"
    assert answer.text.startswith(
        "1 person of sandbox 'default', 1 call, through the old workspace and the new workspace\n"
    )
    assert "- profiles lost: 1\n" in answer.text
    assert "ada@example.com" in answer.text
    assert "@" not in masked
    assert "- profiles lost: 1\n" in masked


@pytest.mark.parametrize(("version", "line"), [("3.497.0", "No profile changes."), ("2024-12", "- profiles lost: ")])
def test_a_version_is_of_the_workspace_of_the_sandbox(client: Client, version: str, line: str) -> None:
    assert line in ask(client, new=version, people=20).text
    plan = ask(client, "", new=version, people=20).get_json()
    Draft202012Validator(contract_json("plan.schema.json")).validate(plan)
    assert plan["workspaces"]["difference"]


@pytest.mark.parametrize("operation", ["plan", "upgrade-check"])
@pytest.mark.parametrize("given", [{"people": 5}, {"seed": 2}, {"people": 5, "seed": 2}])
def test_known_people_are_not_generated(client: Client, operation: str, given: dict[str, int]) -> None:
    versions = {"plan": {"new": "3.517.0"}, "upgrade-check": {"to": "3.517.0"}}
    answer = client.post(f"/_emulator/{operation}", json={**versions[operation], "known": True, **given})
    assert answer.status_code == 400
    error = answer.get_json()
    assert (error["where"], error["hint"]) == (next(iter(given)), "Leave out people and seed, or known.")


def test_addresses_are_not_promised_to_be_hidden_where_they_are_not(client: Client) -> None:
    answer = ask(client, "?mask=true", new="3.517.0", people=5)
    assert (answer.status_code, answer.get_json()["where"]) == (400, "mask")


@pytest.mark.parametrize(
    ("new", "where", "message", "remedy"),
    [
        ("3.4.0", "new", "unknown generation or API version '3.4.0'", "3.361.0"),
        ("name: [", "new, line 2, column 1", "neither YAML nor JSON", ""),
        ("nothing", "new", "a workspace must be an object", ""),
        (YAML.replace("audiences:", "audience:", 1), "new", "'audience'", "audiences"),
        (YAML.replace("vip_customers", "vips", 1), "new", "vip_customers", "vips"),
    ],
)
def test_what_cannot_be_planned_says_where_and_what_to_do(
    client: Client, new: str, where: str, message: str, remedy: str
) -> None:
    answer = ask(client, new=new, people=5)
    assert answer.status_code == 400
    error = answer.get_json()
    assert error["where"].startswith(where), error
    assert message in error["message"], error
    assert remedy in f"{error.get('hint')} {error.get('allowed')}", error
