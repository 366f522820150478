"""`POST /_emulator/mutate`: the workspace of a sandbox against built-in scenarios, and those in the request."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from emulator import Emulator
from emulator.artefacts import contract_json, fixture
from emulator.server.control.scenarios import one_at_a_time
from emulator.workspace import load_workspace
from emulator.workspace_file import read

SCENARIO = {key: value for key, value in read(fixture("newsletter-scenario.yaml")).items() if key != "given"} | {
    "given": {"people": {"ada": {"email": "ada@example.com", "traits": {"orders": 2, "newsletter": True}}}}
}


def asked(emulator: Emulator, query: str = "", **body: Any) -> Any:
    return emulator.client.post(f"/_emulator/mutate{query}", json=body)


def test_a_scenario_of_the_request_is_played_in_the_mutated_workspace() -> None:
    with Emulator(load_workspace(fixture("newsletter-workspace.yaml"))) as emulator:
        answer = asked(emulator, document=SCENARIO, only=["swap-join", "toggle"])
    report = answer.get_json()
    assert answer.status_code == 200
    Draft202012Validator(contract_json("mutate.schema.json")).validate(report)
    assert (report["workspace"], report["against"]) == ("default", "1 scenario")
    assert (report["mutations"]["run"], report["score"]) == (4, 75)


def test_a_sample_is_run_against_a_built_in_scenario_as_markdown() -> None:
    with Emulator() as emulator:
        name = "mappings/standard-properties-by-track"
        answer = asked(emulator, "?format=markdown", scenario=name, sample=2, only=["drop-condition", "swap-join"])
    assert answer.content_type == "text/markdown; charset=utf-8"
    assert "2 of 68 mutations against 1 scenario." in answer.text


@pytest.mark.parametrize("body", [{}, {"scenario": "consent/indeterminate"}, {"scenario": "audiences/exit"}])
def test_built_in_scenarios_that_do_not_fit_the_workspace_are_an_error_with_a_remedy(body: dict[str, Any]) -> None:
    with Emulator(load_workspace(fixture("newsletter-workspace.yaml"))) as emulator:
        answer = asked(emulator, **body, sample=1)
    assert answer.status_code == 400
    assert answer.get_json()["hint"].endswith("Give one of your own, as `document`.")


def test_a_run_takes_a_limited_time_and_a_second_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emulator.server.control.mutate.RUN_SECONDS", 0.0)
    with Emulator() as emulator:
        with emulator.app.app_context(), one_at_a_time():
            assert asked(emulator, scenario="emails/not-sent").status_code == 503
        answer = asked(emulator, scenario="emails/not-sent", events=1)
    assert answer.get_json()["mutations"]["run"] == 1


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({"only": ["togle"]}, 400, "toggle"),
        ({"scenario": "emails/none"}, 404, "emails/none"),
        ({"scenario": "emails/not-sent", "document": {}}, 400, "a built-in scenario and one of your own"),
        ({"document": "x"}, 400, "scenario"),
        ({"sample": 101}, 400, "sample"),
    ],
)
def test_mistakes_are_named(body: dict[str, Any], status: int, message: str) -> None:
    with Emulator() as emulator:
        answer = asked(emulator, **body)
    assert answer.status_code == status
    assert message in answer.text
