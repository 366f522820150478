"""The GitHub actions: their metadata, their shell scripts, and a job that uses them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from emulator.artefacts import fixture
from tests.docs.blocks import FOLDER, blocks_of
from tests.e2e.installed import borrow_dependencies
from tests.e2e.runner import ACTIONS, Job, StepFailed, action, expressions

pytestmark = pytest.mark.one_store

BIN = Path(sys.executable).parent
NAMES = sorted(path.parent.name for path in ACTIONS.glob("*/action.yml"))
STEPS = [(name, step) for name in NAMES for step in action(name)["runs"]["steps"]]
START = next(step["run"] for _, step in STEPS if step["name"] == "Start")

SEND = """
send() {
  curl -sS --fail "$SEGMENT_HOST/v1/identify" -u "$SEGMENT_WRITE_KEY:" -H 'content-type: application/json' -d "$1"
}
"""
ADA = """send '{"userId": "u1", "traits": {"email": "ada@example.com", "total_spent": 900}}'"""
BROKEN = (
    """send '{"userId": "u2", "traits": {"email": "eve@example.com", "total_spent": 900, "first_name": "E\\"ve"}}'"""
)
NO_EMAIL = """send '{"userId": "u3", "traits": {"total_spent": 900}}'"""
PROFILES = """
curl -sS --fail "$STACKADAPT_GRAPHQL_URL" -H 'content-type: application/json' \\
  -H "authorization: Bearer $STACKADAPT_TOKEN" \\
  -d "{\\"query\\": \\"{ cdpProfiles(advertiserId: $STACKADAPT_ADVERTISER_ID) { size } }\\"}"
"""


def fits(schema: str, *files: Path) -> None:
    checked = subprocess.run(
        [BIN / "check-jsonschema", "--builtin-schema", schema, *files], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout


def test_the_metadata_fits_its_schema() -> None:
    fits("vendor.github-actions", *(ACTIONS / name / "action.yml" for name in NAMES))


def test_the_workflow_of_the_page_fits_its_schema_and_the_actions(tmp_path: Path) -> None:
    [text] = [block.text for block in blocks_of(FOLDER / "ci.md") if "# .github/workflows/" in block.text]
    workflow = tmp_path / "workflow.yml"
    workflow.write_text(text, encoding="utf-8")
    fits("vendor.github-workflows", workflow)
    [job] = yaml.safe_load(text)["jobs"].values()
    used = {}
    for step in job["steps"]:
        if found := re.search(r"/\.github/actions/([a-z]+)@", step.get("uses", "")):
            used[found[1]] = step.get("with", {})
    assert sorted(used) == NAMES
    for name, given in used.items():
        assert given.keys() <= action(name).get("inputs", {}).keys()


@pytest.mark.parametrize(("name", "step"), STEPS, ids=[f"{name}-{step['name']}" for name, step in STEPS])
def test_a_script_has_no_mistake_and_no_expression(name: str, step: dict[str, Any]) -> None:
    # GitHub puts the value of an expression into the script as it is: a value could be a command.
    assert "${{" not in step["run"]
    done = subprocess.run(
        [BIN / "shellcheck", "--shell", "bash", "-"], input=step["run"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", NAMES)
def test_each_input_is_used_and_each_output_exists(name: str) -> None:
    metadata = action(name)
    steps = metadata["runs"]["steps"]
    given = [text for step in steps for text in step.get("env", {}).values()]
    used = {each for text in given for each in expressions(text)}
    assert used == {f"inputs.{key}" for key in metadata.get("inputs", {})}
    for output in metadata.get("outputs", {}).values():
        [reference] = expressions(output["value"])
        _, step_id, _, key = reference.split(".")
        [step] = [each for each in steps if each.get("id") == step_id]
        assert re.search(rf'echo "{key}=.*" >> "\$GITHUB_OUTPUT"', step["run"])


@pytest.fixture
def job(tmp_path: Path, long: bool) -> Iterator[Job]:
    """A job on a runner; with --long its pip installs the dependencies, otherwise it has those of this environment."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LD_LIBRARY_PATH") if name in os.environ}
    job = Job(tmp_path, {**kept, "HOME": str(tmp_path), **({} if long else {"PIP_NO_DEPS": "1", "PIP_NO_INDEX": "1"})})
    if not long:
        job.after["Install"] = lambda: borrow_dependencies(tmp_path / "temp" / "stackadapt-emulator")
    yield job
    job.run("if command -v stackadapt-emulator; then stackadapt-emulator stop; fi")


def test_a_job_starts_the_emulator_tests_and_reports(job: Job, wheel: Path) -> None:
    text = fixture("workspace.yaml").read_text(encoding="utf-8")
    (job.workspace / "a workspace.yaml").write_text(text.replace("sa-local-write", "sa-100%-secret"))
    outputs = job.uses(
        "setup",
        package=str(wheel),
        python=sys.executable,
        workspace="a workspace.yaml",
        arguments="--latency=1h\n--control-token=control-$(touch${IFS}injected)\n",
    )
    assert outputs == {"url": job.environment["STACKADAPT_EMULATOR_URL"]}
    assert set(job.masks) == {"sa-100%-secret", "segment-local", "control-$(touch${IFS}injected)"}
    assert "sa-100" not in job.log
    assert f"ready at {outputs['url']}" in job.log

    # The project's own Python stays the first on PATH, and only the command is added.
    assert [path.name for path in Path(job.paths[0]).iterdir()] == ["stackadapt-emulator"]
    assert not [*job.workspace.glob("injected*")]
    job.run(SEND + ADA + PROFILES + "stackadapt-emulator clock advance 2h" + PROFILES)
    assert re.findall(r'"size": ?(\d)', job.log) == ["0", "1"]

    job.run(SEND + BROKEN + "\n" + NO_EMAIL)
    job.uses("report")
    assert job.summary.startswith("### stackadapt-emulator: funnel\n\n    Segment")
    assert re.search(r"│ +2 │ GRAPHQL_ERRORS: ", job.summary)
    assert re.search(r"│ +2 │ PAYLOAD_VALIDATION_FAILED: ", job.summary)
    assert re.search(r"    \S+Z WARNING delivery: delivered 0 of 2 events .*users u2\): Syntax Error", job.summary)
    assert "@" not in job.summary

    job.run("stackadapt-emulator stop")
    job.uses("report")
    assert "    error: " in job.summary
    assert "the emulator does not respond" in job.summary


def test_a_start_that_fails_fails_the_step_with_its_reason(job: Job) -> None:
    # Without the installation, which the job above has tried.
    job.paths.append(str(BIN))
    with pytest.raises(StepFailed, match="missing.yaml: no such file"):
        job.run(START, {"WORKSPACE": "missing.yaml", "ARGUMENTS": ""})
    assert job.environment == {}
