"""`--stackadapt-emulator-coverage`: what the tests exercised, in one process and with the workers of pytest-xdist."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from emulator import Emulator
from emulator.pytest_plugin.coverage_of_tests import CoverageOfTests

OPTION = "--stackadapt-emulator-coverage"
TESTS = """
def test_a_vip_arrives(stackadapt, segment):
    segment.enter_audience("vip_customers", email="ada@example.com")
    stackadapt.expect_profile(email="ada@example.com").in_audience("vip_customers")

def test_a_vip_leaves(stackadapt, segment):
    segment.exit_audience("vip_customers", email="ada@example.com")

def test_without_an_emulator():
    pass
"""


def groups_in(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))["groups"]


def in_process(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:randomly", *arguments)


def test_the_file_has_the_emulator_of_each_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(TESTS)
    result = in_process(pytester, OPTION)
    result.assert_outcomes(passed=3)
    path = pytester.path / "stackadapt-coverage.json"
    result.stdout.fnmatch_lines([f"stackadapt-emulator: coverage * %*, written to {path}"])
    assert json.loads(path.read_text(encoding="utf-8"))["runs"] == 2
    assert groups_in(path)["audiences"]["percent"] == 100


def test_a_test_that_fails_is_counted(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(TESTS.replace('ada@example.com").in', 'eve@example.com").in'))
    in_process(pytester, f"{OPTION}=own.json").assert_outcomes(passed=2, failed=1)
    assert groups_in(pytester.path / "own.json")["audiences"]["percent"] == 100


def test_nothing_is_written_unless_it_is_asked_for(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(TESTS)
    result = in_process(pytester)
    result.assert_outcomes(passed=3)
    assert "coverage" not in result.stdout.str()
    assert [path.name for path in pytester.path.glob("*.json")] == []


def test_a_running_emulator_is_asked(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(TESTS)
    with Emulator() as emulator:
        in_process(pytester, f"{OPTION}=own.json", "--stackadapt-url", emulator.start()).assert_outcomes(passed=3)
    assert groups_in(pytester.path / "own.json")["audiences"]["percent"] == 100


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((OPTION, "test_page.py"), f"*not the name of a coverage file. Found: 'test_page.py'.*{OPTION}=FILE.json*"),
        ((f"{OPTION}=none/own.json",), "*cannot write *none/own.json: no such folder*"),
    ],
)
def test_mistakes_are_errors_of_usage(pytester: pytest.Pytester, arguments: tuple[str, ...], message: str) -> None:
    pytester.makepyfile(test_page=TESTS)
    result = in_process(pytester, *arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([message])
    assert (pytester.path / "test_page.py").read_text(encoding="utf-8").strip() == TESTS.strip()


def test_a_file_that_cannot_be_written_at_the_end_fails_the_run_without_a_traceback(pytester: pytest.Pytester) -> None:
    pytester.mkdir("out")
    pytester.makepyfile("import os\ndef test_a(): os.rmdir('out')")
    result = in_process(pytester, f"{OPTION}=out/own.json")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stdout.fnmatch_lines(["stackadapt-emulator: error: cannot write *own.json: no such folder*"])
    assert "Traceback" not in result.stdout.str() + result.stderr.str()


def test_a_list_of_tests_leaves_the_file_of_the_last_run(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(TESTS)
    path = pytester.path / "own.json"
    path.write_text("before", encoding="utf-8")
    assert "coverage" not in in_process(pytester, f"{OPTION}=own.json", "--collect-only", "-q").stdout.str()
    assert path.read_text(encoding="utf-8") == "before"
    # A run without tests is one: what it says must not be that of another.
    in_process(pytester, f"{OPTION}=own.json", "-k", "unknown")
    assert json.loads(path.read_text(encoding="utf-8"))["runs"] == 0


def test_a_worker_that_was_lost_is_noted(pytester: pytest.Pytester) -> None:
    config = pytester.parseconfig()
    collected = CoverageOfTests(config, "own.json")
    collected.pytest_testnodedown(SimpleNamespace())
    collected.pytest_sessionfinish(SimpleNamespace(exitstatus=0))
    document = json.loads((config.invocation_params.dir / "own.json").read_text(encoding="utf-8"))
    assert document["notes"] == ["A worker of pytest-xdist ended without saying what its tests exercised."]


def test_the_workers_of_xdist_are_combined(tmp_path: Path) -> None:
    """In processes of their own, as only there xdist starts workers."""
    (tmp_path / "test_vip.py").write_text(TESTS, encoding="utf-8")
    arguments = ["-q", "-n", "2", "-p", "no:cacheprovider", f"--rootdir={tmp_path}", f"{OPTION}=own.json"]
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout.count("stackadapt-emulator: coverage ") == 1
    document = json.loads((tmp_path / "own.json").read_text(encoding="utf-8"))
    assert document["runs"] == 2
    assert document["groups"]["audiences"]["percent"] == 100
