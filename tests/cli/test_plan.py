"""`plan` as a user meets it: workspaces, versions and people given in every way, and its exit codes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from emulator.artefacts import contract_json, fixture

Run = Callable[..., subprocess.CompletedProcess[str]]
FEW = ("--people", "12")


@pytest.fixture
def narrow(tmp_path: Path) -> str:
    """The default workspace with an audience that fewer people are in."""
    path = tmp_path / "narrow.yaml"
    text = fixture("workspace.yaml").read_text(encoding="utf-8").replace("value: 500}", "value: 4000}")
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_the_json_form_fits_its_schema_and_fail_on_decides_the_exit_code(run: Run, narrow: str) -> None:
    shown = run("plan", "default", narrow, *FEW, "--json", "--fail-on", "lost-profiles, changed-consent")
    assert (shown.returncode, shown.stderr) == (1, "error: the change has lost-profiles\n")
    plan = json.loads(shown.stdout)
    Draft202012Validator(contract_json("plan.schema.json")).validate(plan)
    assert plan["profiles"]["lost"] > 0
    assert plan["people"] == {"text": "12 generated people, seed 1", "calls": 12}
    assert "-    value: 500" in plan["workspaces"]["difference"]


def test_markdown_goes_to_a_file(run: Run, narrow: str, tmp_path: Path) -> None:
    output = tmp_path / "plan.md"
    shown = run("plan", "default", narrow, *FEW, "--format", "markdown", "-o", str(output))
    assert (shown.returncode, shown.stdout, shown.stderr) == (0, "", "")
    assert output.read_text(encoding="utf-8").startswith("### Plan: default → ")


def test_generations_are_of_the_base_workspace(run: Run) -> None:
    shown = run("plan", "3.497.0", "3.517.0", *FEW, "--diff")
    assert shown.returncode == 0, shown.stderr
    assert "-  generation: 3.497.0" in shown.stdout
    assert "No profile changes." in shown.stdout


def test_many_people_are_run_in_two_processes_with_the_same_outcome(run: Run, narrow: str, tmp_path: Path) -> None:
    calls = tmp_path / "calls.jsonl"
    made = run("generate", "identifies", "--count", "2001", "-o", str(calls))
    assert made.returncode == 0, made.stderr
    plans = [
        json.loads(run("plan", "default", narrow, "--people", people, "--json").stdout)
        for people in (str(calls), "2001", "2000")
    ]
    assert plans[0]["profiles"]["lost"] == plans[1]["profiles"]["lost"] > 0
    # By one person fewer, in this process.
    assert plans[2]["profiles"]["lost"] in (plans[1]["profiles"]["lost"], plans[1]["profiles"]["lost"] - 1)


def test_people_who_prove_nothing_are_an_error_after_the_report(call: Run, tmp_path: Path) -> None:
    calls = tmp_path / "calls.jsonl"
    calls.write_text('{"type": "identify", "traits": {"email": "ada@example.com"}}\n', encoding="utf-8")
    shown = call("plan", "default", "default", "--people", str(calls), "--json", "--fail-on", "lost-profiles")
    assert (shown.returncode, shown.stderr.count("\n")) == (2, 1)
    assert shown.stderr == "error: the plan shows nothing of the change: neither workspace has a profile\n"
    assert "Segment refused all calls, 1 as no_user_anon_id: " in json.loads(shown.stdout)["warning"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("default",), "Missing argument 'NEW'"),
        (("default", "none.yaml"), "cannot read none.yaml: no such file"),
        (("3.4.0", "default"), "unknown generation or API version '3.4.0'. Known: 3.361.0, "),
        (("default", "2026-07"), "unknown generation or API version '2026-07'"),
        (("default", "default", "--people", "0"), "--people: invalid number of people. Found: '0'"),
        (("default", "default", "--people", "2000000"), "Allowed: 1 to 1,000,000"),
        (("default", "default", "--people", "people.txt"), "cannot read people.txt: no such file"),
        (("default", "default", "--advance", "soon"), "--advance: invalid duration. Found: 'soon'"),
        (("default", "default", "--fail-on", "lost-profile"), "Did you mean 'lost-profiles'?"),
        (("default", "default", "--fail-on", ""), "--fail-on: there is no check. Found: ''. Allowed: lost-profiles, "),
        (("default", "default", "--fail-on", " ,"), "--fail-on: there is no check. Found: ' ,'"),
        (("default", "default", "--format", "html"), "'html' is not one of"),
        (("default", "default", "--json", "--format", "markdown"), "--format cannot be combined with --json"),
        (("default", "default", "--json", "--diff"), "--diff cannot be combined with --json"),
        (("default", "default", "--people", "a.csv", "--seed", "2"), "--seed cannot be combined with a file of --peop"),
        (("default", "default", "--workspace", "w.yaml"), "--workspace needs a generation or API version at OLD or N"),
    ],
)
def test_mistakes_are_named(call: Run, arguments: tuple[str, ...], message: str) -> None:
    shown = call("plan", *arguments)
    assert shown.returncode == 2
    assert message in shown.stderr
    assert shown.stdout == ""
