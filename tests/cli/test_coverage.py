"""`coverage` as a user meets it: files combined, a running emulator asked, exit codes; `--coverage` of the commands."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from emulator.artefacts import contract_json
from emulator.cli import verify
from emulator.cli.coverage_option import CoverageOfScenarios
from emulator.errors import InputError
from emulator.harness.coverage import Coverage
from tests.conftest import command, environment

Run = Callable[..., subprocess.CompletedProcess[str]]

ENTER_ONLY = """
title: A VIP arrives
about: The mapping listens to one event.
shows: [audience-track-shape]
given:
  audience: {sendIdentify: false}
  subscription: {trigger: event = "Audience Entered"}
  people:
    ada: {email: ada@example.com, traits: {total_spent: 900}}
steps:
  - when: [{identify: ada}]
    then: {profiles: [{person: ada, in: [vip_customers]}]}
"""
AND_LEAVE = """
  - when: [{identify: ada, traits: {total_spent: 1}}]
    then: {profiles: [{person: ada, in: []}]}
"""


def missing(document: dict[str, Any], group: str) -> list[str]:
    sections = document["groups"][group]["sections"]
    return [item for each in sections for item, covered in each["items"].items() if not covered]


@pytest.fixture
def scenario(tmp_path: Path) -> Callable[[str], str]:
    def write(text: str) -> str:
        path = tmp_path / "vip.yaml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def test_what_no_scenario_does_is_where_the_defect_is(
    call: Run, tmp_path: Path, scenario: Callable[[str], str]
) -> None:
    """All green, but no user leaves, and the trigger keeps the exit from StackAdapt."""
    file = tmp_path / "coverage.json"
    played = call("verify", scenario(ENTER_ONLY), "--coverage", str(file))
    assert played.returncode == 0, played.stdout
    assert played.stderr.startswith("stackadapt-emulator: coverage ")
    shown = call("coverage", str(file), "--json")
    document = json.loads(shown.stdout)
    Draft202012Validator(contract_json("coverage.schema.json")).validate(document)
    assert missing(document, "audiences") == ["vip_customers: left"]
    assert missing(document, "triggers") == ['1. event = "Audience Entered": false']
    assert "audience-track-shape" not in missing(document, "ledger")
    # The scenario that covers both shows that the profile stays in the audience.
    played = call("verify", scenario(ENTER_ONLY + AND_LEAVE), "--coverage", str(file))
    assert (played.returncode, "vip_customers" in played.stdout) == (1, True), played.stdout + played.stderr
    document = json.loads(call("coverage", str(file), "--json").stdout)
    assert missing(document, "audiences") == missing(document, "triggers") == []
    # It failed, so it has shown nothing.
    assert "audience-track-shape" in missing(document, "ledger")


def test_files_are_combined_and_less_than_asked_for_ends_with_1(
    call: Run, tmp_path: Path, emulate: Callable[..., str]
) -> None:
    url = emulate()
    before = tmp_path / "before.json"
    assert call("coverage", "--url", url, "--json", "-o", str(before)).returncode == 0
    sent = call("trigger", "audience-entered", "--audience", "vip_customers", "--email", "a@example.com", "--url", url)
    assert sent.returncode == 0, sent.stderr
    after = tmp_path / "after.json"
    assert call("coverage", "--url", url, "--json", "-o", str(after)).returncode == 0
    shown = call("coverage", str(before), str(after), "--fail-under", "audiences=50", "--fail-under", "audiences=60")
    assert shown.returncode == 1
    assert shown.stderr == "error: audiences: 50 %, less than 60 %\n"
    assert shown.stdout.startswith("coverage of 2 sandboxes\n")
    assert "changes of membership, never happened:\n  vip_customers: left\n" in shown.stdout
    # No client but Segment sent anything.
    shown = call("coverage", str(after), "--fail-under", "responses=100", "--fail-under", "audiences=50")
    assert (shown.returncode, shown.stderr) == (0, "note: responses: nothing to cover, so that 100 % is met\n")
    markdown = call("coverage", str(after), "--format", "markdown")
    assert markdown.stdout.startswith("### Coverage: ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("none.json",), "cannot read none.json: no such file"),
        (("pyproject.toml",), "pyproject.toml: this is not JSON"),
        (("contracts/plan.schema.json",), "contracts/plan.schema.json: "),
        (("--fail-under", "trigger=5"), "--fail-under: unknown group 'trigger'"),
        (("--fail-under", "120"), "--fail-under: not a percent. Found: '120'"),
        (("--url", "http://127.0.0.1:9"), "Start it with: stackadapt-emulator serve"),
        (("--format", "html"), "'html' is not one of"),
        (("none.json", "--url", "http://127.0.0.1:9"), "--url is for a running emulator"),
        (("none.json", "--sandbox", "a"), "--sandbox is for a running emulator"),
        (("--json", "--format", "text"), "--format cannot be combined with --json"),
        (("--json", "--all"), "--all cannot be combined with --json"),
        (("--all", "--format", "markdown"), "--all is for text"),
    ],
)
def test_mistakes_are_named(call: Run, arguments: tuple[str, ...], message: str) -> None:
    shown = call("coverage", *arguments)
    assert (shown.returncode, shown.stdout) == (2, "")
    assert message in shown.stderr


def test_standard_input_is_a_file() -> None:
    given = json.dumps(Coverage(runs=3).as_dict())
    shown = subprocess.run(
        command("coverage", "-"), input=given, capture_output=True, text=True, env=environment(), check=False
    )
    assert (shown.returncode, shown.stdout.splitlines()[0]) == (0, "coverage of 3 sandboxes")


# A suite with a sandbox for each test, and a reset.
CLIENT = """
import json, os, urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
def ask(method, path, body=None, **headers):
    data = None if body is None else json.dumps(body).encode()
    headers = {"content-type": "application/json", **{key.replace("_", "-"): value for key, value in headers.items()}}
    opener.open(urllib.request.Request(os.environ["STACKADAPT_EMULATOR_URL"] + path, data, headers, method=method))
ask("POST", "/_emulator/sandboxes", {"name": "one"})
ada = {"email": "ada@example.com"}
ask("POST", "/_emulator/audiences/vip_customers/enter", ada, x_emulator_sandbox="one")
ask("DELETE", "/_emulator/sandboxes/one")
ask("POST", "/_emulator/audiences/vip_customers/exit", ada)
ask("POST", "/_emulator/reset")
"""


def test_exec_counts_what_the_command_deletes_and_resets(call: Run, tmp_path: Path) -> None:
    file, client = tmp_path / "coverage.json", tmp_path / "client.py"
    client.write_text(CLIENT, encoding="utf-8")
    ran = call("exec", "--coverage", str(file), "--", sys.executable, str(client))
    assert ran.returncode == 0, ran.stderr
    document = json.loads(file.read_text(encoding="utf-8"))
    assert document["groups"]["audiences"]["percent"] == 100
    # The sandbox that was deleted, the default one before its reset, and as it was left.
    assert document["runs"] == 3


def test_a_file_that_cannot_be_written_is_an_error_before_anything_runs(call: Run, tmp_path: Path) -> None:
    file = str(tmp_path / "none" / "coverage.json")
    for arguments in (("exec", "--coverage", file, "--", "false"), ("verify", "-k", "opted-in", "--coverage", file)):
        shown = call(*arguments)
        assert (shown.returncode, shown.stdout) == (2, "")
        assert f"cannot write {file}: no such folder" in shown.stderr


def test_what_ran_is_not_lost_when_the_file_cannot_be_written_at_the_end(
    call: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, state = tmp_path / "out" / "coverage.json", tmp_path / "state.gz"
    file.parent.mkdir()
    leave = f"rmdir '{file.parent}'; exit 7"
    ran = call("exec", "--coverage", str(file), "--export-on-exit", str(state), "--", "sh", "-c", leave)
    assert (ran.returncode, state.is_file()) == (7, True)
    assert ran.stderr.startswith(f"error: cannot write {file}: no such folder")

    def refuse(*_: object) -> None:
        raise InputError("cannot write")

    monkeypatch.setattr(CoverageOfScenarios, "finish", refuse)
    played = CliRunner().invoke(verify.command, ["-k", "opted-in", "--coverage", str(tmp_path / "coverage.json")])
    assert isinstance(played.exception, InputError)
    assert "1 passed, 0 failed" in played.output
