"""The plugin beside an emulator that is installed in another environment."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.pytest_plugin.conftest import ARRIVES, FAILS, PLANS, Run


def test_importing_the_plugin_imports_no_libraries() -> None:
    heavy = ("flask", "httpx", "sqlalchemy", "graphql", "jsonschema", "yaml")
    code = f"import sys, emulator.pytest_plugin; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


COMMAND = f"{sys.executable} -m emulator"


@pytest.mark.parametrize("configured", [False, True])
def test_a_command_starts_the_emulator_of_another_environment(
    run: Run, pytester: pytest.Pytester, configured: bool
) -> None:
    if configured:
        pytester.makeini(f"[pytest]\nstackadapt_emulator_command = {COMMAND}")
    tests = ARRIVES + PLANS + FAILS.replace("test_a_vip_arrives", "test_no_email")
    result = run(tests, *([] if configured else [f"--stackadapt-emulator-command={COMMAND}"]))
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*expected a visible profile for ada@example.com*"])


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("no-such-command", "*the command cannot be run: *no-such-command*"),
        (f"{sys.executable} -c 'raise SystemExit(3)'", "*the command did not start an emulator*"),
        ("'", "*the command cannot be read: No closing quotation*"),
    ],
)
def test_a_command_that_starts_no_emulator_fails_the_tests_in_one_line(run: Run, command: str, message: str) -> None:
    result = run(ARRIVES, f"--stackadapt-emulator-command={command}")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([message])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_a_url_and_a_command_exclude_each_other(run: Run) -> None:
    result = run(ARRIVES, "--stackadapt-url=http://127.0.0.1:1", f"--stackadapt-emulator-command={COMMAND}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*exclude each other: give one of them*"])


def test_what_drives_another_environment_needs_neither_the_server_nor_graphql() -> None:
    script = (
        "import sys, emulator.pytest_plugin.served, emulator.harness.expectations;"
        "print(*{'ariadne', 'faker', 'flask', 'graphql', 'regex', 'sqlalchemy', 'uvicorn'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
