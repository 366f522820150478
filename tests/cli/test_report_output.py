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
