"""Commands that print a report refuse a folder that is missing before they do the work."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]

REPORTS = {
    "plan": "plan default default",
    "upgrade-check": "upgrade-check 3.517.0",
    "mutate": "mutate",
    "grade": "grade -- false",
    "coverage": "coverage missing.json",
}


@pytest.mark.parametrize("arguments", REPORTS.values(), ids=REPORTS)
def test_a_missing_folder_is_refused_at_once(call: Run, tmp_path: Path, arguments: str) -> None:
    name, *others = arguments.split()
    found = call(name, "--output", str(tmp_path / "missing" / "report"), *others)
    assert found.returncode == 2
    assert found.stderr.endswith("missing/report: no such folder. Create the folder first, or choose another path.\n")


def test_the_points_of_a_grade_are_listed_as_json(call: Run) -> None:
    listed = json.loads(call("grade", "--list", "--json").stdout)["points"]
    assert {"name", "expected"} == listed[0].keys()


def test_a_device_is_written_into_and_stays(call: Run) -> None:
    assert call("plan", "default", "default", "--people", "2", "--output", os.devnull).returncode == 0
    assert not Path(os.devnull).is_file()


@pytest.mark.parametrize("arguments", ["plan default default --people 2", "upgrade-check 3.517.0 --people 12"])
def test_a_report_has_three_forms(call: Run, arguments: str) -> None:
    shown = [call(*arguments.split(), *form) for form in ([], ["--format", "markdown"], ["--json"])]
    assert [each.returncode for each in shown] == [0, 0, 0], shown
    assert all(each.stdout.endswith("\n") and not each.stdout.endswith("\n\n\n") for each in shown)
    assert shown[1].stdout.startswith("### ")
    assert shown[2].stdout == f"{json.dumps(json.loads(shown[2].stdout), ensure_ascii=False, indent=2)}\n"
