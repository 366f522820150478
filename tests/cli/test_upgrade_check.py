"""`upgrade-check` as a user meets it: generations, events and packages given in every way, and its exit codes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from emulator.artefacts import contract_json
from emulator.workspace_document import document_of
from tests.harness.upgrade.workspaces import of_2025

Run = Callable[..., subprocess.CompletedProcess[str]]
FEW = ("--people", "12")


@pytest.fixture
def workspace(tmp_path: Path) -> str:
    """A workspace of 2025 with a custom property."""
    path = tmp_path / "workspace.yaml"
    path.write_text(yaml.safe_dump(document_of(of_2025())), encoding="utf-8")
    return str(path)


def test_the_json_form_fits_its_schema_and_fail_on_decides_the_exit_code(call: Run, workspace: str) -> None:
    arguments = ("3.517.0", "--workspace", workspace, *FEW, "--mappings", "new", "--json")
    shown = call("upgrade-check", *arguments, "--fail-on", "loses-data, changes-data")
    assert (shown.returncode, shown.stderr) == (1, "error: the upgrade has differences of level loses-data\n")
    check = json.loads(shown.stdout)
    Draft202012Validator(contract_json("upgrade-check.schema.json")).validate(check)
    assert check["people"] == {"text": "12 generated people, seed 1", "calls": 12}
    assert (check["mappings"], check["upgrades"][0]["level"]) == ("new", "loses-data")


def test_a_harmless_upgrade_passes_and_markdown_goes_to_a_file(call: Run, workspace: str, tmp_path: Path) -> None:
    output = tmp_path / "check.md"
    arguments = ("3.497.0", "3.517.0", "--workspace", workspace, *FEW, "--fail-on", "loses-data,changes-data")
    shown = call("upgrade-check", *arguments, "--format", "markdown", "-o", str(output))
    assert (shown.returncode, shown.stdout, shown.stderr) == (0, "", "")
    assert output.read_text(encoding="utf-8").startswith("### Upgrade check: 3.497.0 → 3.517.0\n\n**Harmless")


def test_the_events_of_a_file_are_sent_as_they_are(call: Run, workspace: str, tmp_path: Path) -> None:
    traits = {"email": "ada@example.com", "total_spent": 900}
    calls = tmp_path / "calls.jsonl"
    calls.write_text(f"{json.dumps({'type': 'identify', 'userId': 'u1', 'traits': traits})}\n", encoding="utf-8")
    shown = call("upgrade-check", "3.517.0", "--workspace", workspace, "--events", str(calls))
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.startswith("calls.jsonl, 1 call: 2 events and 1 deletion to the destination, saved mappings\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Give TO, or FROM and TO, or --package DIR."),
        (("3.361.0", "3.387.0", "3.497.0"), "Give TO, or FROM and TO, or --package DIR."),
        (("3.4.0",), "unknown generation '3.4.0'. Known: 3.361.0, 3.387.0, 3.497.0, 3.517.0. Did you mean '3.497.0'?"),
        (("3.517.0", "--workspace", "none.yaml"), "cannot read none.yaml: no such file"),
        (("3.517.0", "--events", "none.jsonl"), "cannot read none.jsonl: no such file"),
        (("3.517.0", "--people", "0"), "--people: invalid number of people. Found: 0. Allowed: 1 to 1,000,000"),
        (("3.517.0", "--advance", "soon"), "--advance: invalid duration"),
        (
            ("3.517.0", "--fail-on", "lost"),
            "--fail-on: unknown level 'lost'. Known: loses-data, changes-data",
        ),
        (
            ("3.517.0", "--fail-on", ","),
            "--fail-on: there is no level. Found: ','. Allowed: loses-data, ",
        ),
        (("3.387.0", "3.517.0", *FEW), "generation 3.387.0: nothing of this workspace gets to StackAdapt before"),
        (("3.517.0", *FEW, "-o", "none/check.md"), "cannot write none/check.md: no such folder"),
        (("--package", "."), ".: @segment/action-destinations is not installed here. Give the folder in which you ran"),
    ],
)
def test_bad_usage_says_what_and_where(call: Run, arguments: tuple[str, ...], message: str) -> None:
    shown = call("upgrade-check", *arguments)
    assert shown.returncode == 2
    assert message in shown.stderr
    assert shown.stdout == ""


def written(folder: Path, manifest: object) -> str:
    (folder / "package.json").write_text(json.dumps(manifest), encoding="utf-8")
    return str(folder)


@pytest.mark.parametrize("manifest", [{"name": "lodash", "version": "4.17.21"}, ["no object"]])
def test_a_folder_with_another_package_is_an_error_with_the_remedy(call: Run, manifest: object, tmp_path: Path) -> None:
    shown = call("upgrade-check", "--package", written(tmp_path, manifest))
    assert shown.returncode == 2
    assert f"{tmp_path}: @segment/action-destinations is not installed here. Give the folder" in shown.stderr


def test_without_node_the_error_says_what_to_install(
    call: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = written(tmp_path, {"name": "@segment/action-destinations", "version": "3.497.0"})
    monkeypatch.setenv("PATH", str(tmp_path))
    shown = call("upgrade-check", "--package", package)
    assert shown.returncode == 2
    assert f"{package}: running the package needs Node.js, but node is not on PATH. Install Node.js." in shown.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--json", "--format", "text"), "--format cannot be combined with --json."),
        (("--events", "x.csv", "--people", "5"), "--people cannot be combined with --events."),
        (("--events", "x.csv", "--seed", "5"), "--seed cannot be combined with --events."),
    ],
)
def test_an_option_without_effect_is_refused(call: Run, arguments: tuple[str, ...], message: str) -> None:
    shown = call("upgrade-check", "3.517.0", *arguments)
    assert (shown.returncode, shown.stdout) == (2, "")
    assert message in shown.stderr
