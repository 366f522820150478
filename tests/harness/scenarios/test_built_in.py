"""Every built-in scenario passes, and fails when it expects something else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from emulator.artefacts import contract, fixture
from emulator.errors import InputError
from emulator.harness.scenarios import (
    FAILED,
    PASSED,
    Report,
    Result,
    Scenario,
    Target,
    built_in,
    built_in_scenarios,
    listed,
    play,
    read_scenarios,
)
from emulator.mapping import generations, load_definition
from emulator.workspace_file import read
from emulator.yaml_files import load_yaml

FILES = sorted(built_in().rglob("*.yaml"))
SCENARIOS = built_in_scenarios()
LEDGER = {row["id"] for row in load_yaml(contract("fidelity.yaml").read_text(encoding="utf-8"))["behaviours"]}


def name_of(path: Path) -> str:
    return path.relative_to(built_in()).as_posix()


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_built_in_scenario_passes(path: Path, target: Target) -> None:
    for scenario in read_scenarios([path]):
        result = play(scenario, target)
        assert result.outcome == PASSED, "\n".join((scenario.title, *result.lines()))
        assert result.checks


def test_a_built_in_scenario_is_known_by_its_name() -> None:
    assert [*dict.fromkeys(str(scenario.path) for scenario in SCENARIOS)] == [each["name"] for each in listed()]
    with pytest.raises(InputError) as caught:
        built_in_scenarios("profiles/appears", base=read(fixture("empty-workspace.yaml")))
    assert str(caught.value).startswith("profiles/appears: ")


def test_there_are_many_scenarios_with_different_titles() -> None:
    assert len(FILES) >= 30
    titles = [scenario.title for scenario in SCENARIOS]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.title)
def test_the_ledger_ids_of_a_scenario_exist(scenario: Scenario) -> None:
    assert set(scenario.shows) <= LEDGER


def test_the_matrix_has_a_cell_for_each_generation_and_api_version(target: Target) -> None:
    of_matrix = [scenario for scenario in SCENARIOS if scenario.cell]
    report = Report(target=target.name, scenarios=[play(scenario, target) for scenario in of_matrix])
    of_2024 = {"2026-06": "refused", "2025-05": "works", "2024-12": "works"}
    current = {"2026-06": "works", "2025-05": "refused", "2024-12": "refused"}
    assert report.matrix() == {
        generation: of_2024 if load_definition(generation).advertiser_from == "mapping" else current
        for generation in generations()
    }


@pytest.mark.parametrize(
    ("file", "old", "new", "expected", "found"),
    [
        ("profiles/appears.yaml", "marketingStatus: OPTED_IN", "marketingStatus: PROSPECT", "PROSPECT", "OPTED_IN"),
        ("profiles/appears.yaml", "{first_name: Ada}\n", "{first_name: Eve}\n", "first_name: Eve", "Ada"),
        ("profiles/appears.yaml", "in: [vip_customers]", "in: [others]", "audiences: others", "vip_customers"),
        ("profiles/appears.yaml", "externalIds: [u1]", "externalIds: [u2]", "external ids: u2", "u1"),
        ("profiles/appears.yaml", "rejections: {}", "rejections: {INJECTED: 1}", "rejected: 1 INJECTED", "none"),
        ("profiles/not-visible-before-latency.yaml", "59m", "60m", "visible in StackAdapt: none", "ada"),
        ("profiles/merged.yaml", "city: null", "city: Rome", "city: Rome", "null"),
        ("profiles/not-visible-before-latency.yaml", "queued: 2", "queued: 3", "records in StackAdapt: 3", "2 queued"),
        ("segments/rule-by-id.yaml", "[ada, grace]", "[ada, bob]", "ada, bob", "ada, grace"),
        ("segments/rule-by-id.yaml", "[ada, grace]", "[ada]", "}: ada", "ada, grace"),
        (
            "emails/missing-at-stackadapt.yaml",
            "rejections: {MISSING_EMAIL: 1}",
            "rejections: {}",
            "rejected: none",
            "1 MISSING_EMAIL",
        ),
        ("audiences/exit.yaml", "vip_customers: 0", "vip_customers: 1", "1 vip_customers", "0 vip_customers"),
        ("access/wrong-advertiser.yaml", "10011 could", "10012 could", "10012 could not be found", "0 of 2"),
        ("delivery/one-bad-event.yaml", "times: 4", "times: 6", "outcome sent: 6", "4 of 6"),
        ("delivery/retry-after-429.yaml", "status: 429}\n", "status: 430}\n", "status 430: 1", "0"),
        ("deletion/refused.yaml", "outcome: failed", "outcome: sent", "at the destinations: sent", "failed"),
        ("deletion/refused.yaml", "Advertiser 77", "Advertiser 78", "contains 'Advertiser 78", "Advertiser 77"),
        ("graphql/unknown-field.yaml", "status: 200", "status: 400", "status: 400", "200 {"),
        ("graphql/unknown-field.yaml", 'mean "email"', 'mean "mail"', 'mean \\"mail\\"', 'mean \\"email\\"'),
        (
            "graphql/wrong-advertiser-is-a-user-error.yaml",
            "[Advertiser 77 could not be found]",
            "[]",
            "userErrors: []",
            "77",
        ),
        ("profiles/one-advertiser-only.yaml", "size: 0", "size: 1", '"size": 1', '"size":0'),
    ],
)
def test_a_scenario_fails_when_it_expects_something_else(
    played: Callable[[str], Result], file: str, old: str, new: str, expected: str, found: str
) -> None:
    text = (built_in() / file).read_text(encoding="utf-8")
    assert old in text
    result = played(text.replace(old, new))
    assert result.outcome == FAILED
    [failure] = result.failures
    assert expected in failure.expected
    assert found in failure.found


def test_a_failure_prints_all_timelines(played: Callable[[str], Result]) -> None:
    text = (built_in() / "emails/missing-at-segment.yaml").read_text(encoding="utf-8")
    result = played(text.replace("profiles: []", "profiles: [grace]"))
    printed = "\n".join(result.lines())
    assert "expected  visible in StackAdapt: grace\nfound     none\n" in printed
    assert "identify to 'StackAdapt Acme': rejected, PAYLOAD_VALIDATION_FAILED" in printed


def test_a_step_after_a_failed_one_is_not_played(played: Callable[[str], Result]) -> None:
    text = (built_in() / "audiences/manual-enter-and-exit.yaml").read_text(encoding="utf-8")
    result = played(text.replace("in: []", "in: [vip_customers]"))
    assert [check.passed for check in result.checks] == [True, True, True, False]


def test_an_error_of_the_emulator_fails_the_scenario_with_its_message(played: Callable[[str], Result]) -> None:
    text = (built_in() / "delivery/retry-after-429.yaml").read_text(encoding="utf-8")
    changed = text.replace("given:\n", "given:\n  workspace: {apiVersion: 2024-12}\n").replace(
        "operation: upsertProfiles, times: 1", "operation: archiveAdvertiser, times: 1"
    )
    result = played(changed)
    assert result.outcome == FAILED
    assert "steps[0].when[0]: operation: unknown root field 'archiv" in (result.reason or "")


def test_a_failure_names_its_place(played: Callable[[str], Result]) -> None:
    text = (built_in() / "audiences/manual-enter-and-exit.yaml").read_text(encoding="utf-8")
    result = played(text.replace("in: []", "in: [vip_customers]"))
    assert next(result.lines()) == "at        steps[1].then.profiles"
    assert result.as_dict()["checks"][-1]["place"] == "steps[1].then.profiles"
    assert result.checks[0].place == "steps[0].then.profiles"
