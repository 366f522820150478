"""The plugin in a project that has a package `emulator` of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import emulator

OURS = Path(emulator.__file__).parent
TESTS = """
import emulator

def test_of_the_project():
    assert emulator.OWN

def test_with_our_fixture(stackadapt):
    pass
"""
LAYOUTS = {
    "beside the tests": ("emulator", "conftest.py", ""),
    "pythonpath": ("emulator", "pytest.ini", "[pytest]\npythonpath = .\n"),
    "src": ("src/emulator", "pytest.ini", "[pytest]\npythonpath = src\n"),
}


def run(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    dropped = ("PYTEST", "STACKADAPT", "PYTHONPATH")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    return subprocess.run(
        [sys.executable, "-m", "pytest", *arguments],
        cwd=folder,
        env={**environment, **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "test_it.py").write_text(TESTS)
    return tmp_path


def add_package(project: Path, folder: str) -> Path:
    package = project / folder
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("OWN = True\n")
    return package


@pytest.mark.parametrize("options", [(), ("-p", "stackadapt_emulator", "--import-mode=importlib")], ids=str)
@pytest.mark.parametrize(("folder", "file", "content"), LAYOUTS.values(), ids=LAYOUTS)
def test_its_tests_run_and_one_with_our_fixtures_says_what_clashes(
    project: Path, folder: str, file: str, content: str, options: tuple[str, ...]
) -> None:
    package = add_package(project, folder)
    (project / file).write_text(content)
    done = run(project, *options)
    assert "1 passed, 1 error" in done.stdout, done.stdout + done.stderr
    assert f"found: {package}\n" in done.stdout
    assert f"needed: {OURS}\n" in done.stdout
    assert "Rename the package of the project" in done.stdout


def test_our_options_are_listed_and_used_before_the_package_is_imported(project: Path) -> None:
    add_package(project, "emulator")
    assert "--stackadapt-url" in run(project, "--help").stdout
    assert run(project, "--fail-on-unused", "-k", "of_the_project").returncode == 0
    done = run(project, "--stackadapt-url", "http://127.0.0.1:1")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "one of the same name" in done.stderr


def test_the_plugin_can_be_named_by_its_module(project: Path) -> None:
    add_package(project, "emulator")
    done = run(project, "-p", "stackadapt_emulator_pytest", PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    assert "1 passed, 1 error" in done.stdout, done.stdout + done.stderr


def test_an_installed_project_without_a_package_of_that_name_gets_ours(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text("def test_it(stackadapt):\n    assert stackadapt.profiles() == []\n")
    assert run(tmp_path).returncode == 0
