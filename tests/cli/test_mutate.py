"""`mutate` as a user meets it: scenarios, commands, forms of the report, and its exit codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from emulator.artefacts import contract_json, fixture
from emulator.schemas import mistakes

Run = Callable[..., subprocess.CompletedProcess[str]]
WORKSPACE = ("--workspace", str(fixture("newsletter-workspace.yaml")))
SCENARIOS = ("--scenarios", str(fixture("newsletter-scenario.yaml")))
SURVIVOR = """\
survivors:
  - kind: swap-join
    place: destinations[0].subscriptions[0].trigger
    after: type = "identify" and traits.newsletter = true
    because: We know.
"""


def test_the_json_form_fits_its_schema_and_fail_under_decides_the_exit_code(call: Run) -> None:
    asked = ("mutate", *WORKSPACE, *SCENARIOS, "--only", "swap-join", "--only", "toggle", "--json")
    shown = call(*asked, "--fail-under", "80")
    assert (shown.returncode, shown.stderr) == (1, "error: the score is 75 %, less than 80 %\n")
    report = json.loads(shown.stdout)
    Draft202012Validator(contract_json("mutate.schema.json")).validate(report)
    assert report["mutations"] == {"possible": 69, "run": 4, "killed": 3, "survived": 1}
    [survivor] = report["survivors"]
    assert survivor["line"] == 18
    assert survivor["event"]["type"] == "identify"
    assert call(*asked, "--fail-under", "75").returncode == 0


def test_markdown_goes_to_a_file(call: Run, tmp_path: Path) -> None:
    output = tmp_path / "mutate.md"
    shown = call(
        "mutate", *WORKSPACE, *SCENARIOS, "--only", "swap-join", "--format", "markdown", "--output", str(output)
    )
    assert (shown.returncode, shown.stdout, shown.stderr) == (0, "", "")
    assert output.read_text(encoding="utf-8").startswith("### Mutations of ")


def test_survivors_in_a_file_are_accepted_and_what_is_killed_is_outdated(call: Run, tmp_path: Path) -> None:
    path = tmp_path / "survivors.yaml"
    path.write_text(SURVIVOR, encoding="utf-8")
    asked = ("mutate", *WORKSPACE, *SCENARIOS, "--explained", str(path))
    accepted = call(*asked, "--only", "swap-join")
    assert (accepted.returncode, accepted.stderr) == (0, "")
    assert "accepted: We know." in accepted.stdout
    other = call(*asked, "--only", "change-operator")
    assert (other.returncode, other.stderr) == (1, f"error: {path} does not explain 2 survivors\n")
    killed = SURVIVOR.replace("swap-join", "toggle").replace("subscriptions[0].trigger", "enabled")
    path.write_text(killed.replace('type = "identify" and traits.newsletter = true', '"false"'), encoding="utf-8")
    old = call(*asked, "--only", "toggle")
    assert (old.returncode, old.stderr) == (1, f"error: {path} explains mutations that do not survive: 1\n")
    assert "accepted, but no survivor: toggle  destinations[0].enabled" in old.stdout


def test_the_list_runs_nothing(call: Run) -> None:
    shown = call("mutate", *WORKSPACE, "--list", "--json")
    listed = json.loads(shown.stdout)
    assert mistakes(listed, "mutations.schema.json") == []
    mutations = listed["mutations"]
    assert len(mutations) == 69
    altered = {"mutations": [{**mutations[0], "killedBy": "it", "place": 1}]}
    assert {each.path for each in mistakes(altered, "mutations.schema.json")} == {
        ("mutations", 0),
        ("mutations", 0, "place"),
    }
    assert {each["line"] for each in mutations if each["place"].endswith("].trigger")} == {18}
    assert "swap-join  destinations[0].subscriptions[0].trigger, line 18" in call("mutate", *WORKSPACE, "--list").stdout


def test_a_command_is_run_with_the_mutated_workspace(call: Run) -> None:
    # It fails with any trigger but these two, and never asks the emulator.
    code = (
        "import os; text = open(os.environ['STACKADAPT_EMULATOR_WORKSPACE']).read(); "
        "assert os.environ['STACKADAPT_EMULATOR_URL'].startswith('http://'); "
        "assert 'identify\" or' in text or 'identify\" and' in text"
    )
    only = ("--only", "swap-join", "--only", "change-operator", "--events", "1")
    shown = call("mutate", *WORKSPACE, *only, "--json", "--", sys.executable, "-c", code)
    assert shown.returncode == 0, shown.stderr
    report = json.loads(shown.stdout)
    # `type != "identify" or …` still has what the command looks for.
    assert report["mutations"]["run"] == 3
    assert report["mutations"]["survived"] == 3
    code = "import os; assert 'identify\" or' in open(os.environ['STACKADAPT_EMULATOR_WORKSPACE']).read()"
    shown = call("mutate", *WORKSPACE, "--only", "swap-join", "--json", "--", sys.executable, "-c", code)
    [killed] = json.loads(shown.stdout)["killed"]
    assert (killed["killedBy"], killed["because"]) == (f"{sys.executable} -c {code}", "exit code 1")


def test_a_command_that_waits_for_what_does_not_come_is_ended(call: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emulator.cli.mutant_tests._LEAST_SECONDS", 0.3)
    monkeypatch.setattr("emulator.cli.mutant_tests._SLOWER", 0)
    code = "case $(cat $STACKADAPT_EMULATOR_WORKSPACE) in *'identify\" or'*) ;; *) sleep 600;; esac"
    shown = call("mutate", *WORKSPACE, "--only", "swap-join", "--json", "--", "sh", "-c", code)
    assert [each["because"] for each in json.loads(shown.stdout)["killed"]] == ["it took too long"]


def test_a_signal_ends_the_command_as_well(call: Run, tmp_path: Path) -> None:
    path = tmp_path / "pid"
    before = signal.getsignal(signal.SIGTERM)
    ending = ("sh", "-c", f"echo $$ > {path}; kill -TERM $PPID; sleep 600")
    assert call("mutate", *WORKSPACE, "--only", "swap-join", "--", *ending).returncode == 128 + signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) == before
    with pytest.raises(ProcessLookupError):
        os.kill(int(path.read_text()), 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (WORKSPACE, "nothing that could notice a mutation. Name scenarios of this workspace with --scenarios"),
        (("--workspace", "none.yaml"), "cannot read none.yaml: no such file"),
        ((*WORKSPACE, "--scenarios", "none.yaml"), "cannot read none.yaml: no such file"),
        (("--only", "togle"), "Did you mean 'toggle'?"),
        ((*WORKSPACE, "--only", "change-value", "--sample", "0"), "0 is not in the range x>=1"),
        ((*WORKSPACE, "--fail-under", "101"), "101.0 is not in the range"),
        ((*WORKSPACE, "--fail-under", "nan"), "'nan' is not a finite number."),
        ((*WORKSPACE, *SCENARIOS, "--explained", "none.yaml"), "cannot read none.yaml: no such file"),
        (
            (*WORKSPACE, "--only", "toggle", "--", "no-such-command"),
            "command not found",
        ),
        ((*WORKSPACE, "--only", "toggle", "--", "sh", "-c", "kill -SEGV $$"), "Found: 'exit code 139'."),
        (
            (*WORKSPACE, "--only", "toggle", "--", sys.executable, "-c", "raise SystemExit(3)"),
            "the command does not succeed in the workspace as it is. Found: 'exit code 3'.",
        ),
    ],
)
def test_mistakes_are_named(call: Run, arguments: tuple[str, ...], message: str) -> None:
    shown = call("mutate", *arguments)
    assert shown.returncode == 2
    assert message in shown.stderr
    assert shown.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--json", "--format", "text"), "--format cannot be combined with --json."),
        (("--list", "--format", "markdown"), "--format cannot be combined with --list, which runs nothing."),
        (("--list", "--fail-under", "90"), "--fail-under cannot be combined with --list, which runs nothing."),
        (("--list", "--explained", "x.yaml"), "--explained cannot be combined with --list, which runs nothing."),
        (("--list", *SCENARIOS), "--scenarios cannot be combined with --list, which runs nothing."),
        (("--list", "--", "pytest"), "COMMAND cannot be combined with --list, which runs nothing."),
    ],
)
def test_an_option_without_effect_is_refused(call: Run, arguments: tuple[str, ...], message: str) -> None:
    shown = call("mutate", *arguments)
    assert (shown.returncode, shown.stdout) == (2, "")
    assert message in shown.stderr
