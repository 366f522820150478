"""The hooks for pre-commit: as it runs them, and in a repository."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from emulator.artefacts import fixture
from emulator.cli import COMMANDS
from tests.e2e.installed import ROOT, run

Run = Callable[..., subprocess.CompletedProcess[str]]

HOOKS: dict[str, dict[str, Any]] = {
    hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
}
pytestmark = pytest.mark.one_store


@pytest.fixture
def workspaces(tmp_path: Path) -> tuple[Path, Path]:
    """A correct workspace, and one with an error that only lint finds."""
    text = fixture("workspace.yaml").read_text()
    right, wrong = tmp_path / "workspace.yaml", tmp_path / "shop.workspace.yml"
    right.write_text(text)
    wrong.write_text(text.replace("apiKey: sa-local-write", "apiKey: sa-none"))
    return right, wrong


def test_the_hooks_are_lint_and_validate() -> None:
    assert HOOKS.keys() == {"lint", "validate"}
    assert {hook["entry"].split()[0] for hook in HOOKS.values()} == {"stackadapt-emulator"}
    assert {hook["entry"].split()[1] for hook in HOOKS.values()} <= COMMANDS.keys()


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_names_the_file_with_the_error(call: Run, workspaces: tuple[Path, Path], name: str) -> None:
    right, wrong = map(str, workspaces)
    arguments = HOOKS[name]["entry"].split()[1:]
    assert call(*arguments, right).returncode == 0
    found = call(*arguments, right, wrong)
    assert found.returncode == 1
    assert f"S004 error {wrong} (workspace): destinations[0].settings.apiKey\n" in found.stdout


def test_the_hook_for_workspaces_finds_what_lint_finds(call: Run, workspaces: tuple[Path, Path]) -> None:
    wrong = str(workspaces[1])
    findings = json.loads(call(*HOOKS["lint"]["entry"].split()[1:], "--json", wrong).stdout)["findings"]
    expected = json.loads(call("lint", "--json", wrong).stdout)["findings"]
    names = {"code", "severity", "place", "message"}
    assert [{n: each[n] for n in names} for each in findings] == [{n: each[n] for n in names} for each in expected]


@pytest.mark.parametrize(
    ("name", "path", "taken"),
    [
        ("lint", "workspace.yaml", True),
        ("lint", "test/shop-workspace.yml", True),
        ("lint", "test/shop.workspace.yaml", True),
        ("lint", "web/pnpm-workspace.yaml", False),
        ("lint", "workspace.md", False),
        ("lint", "workspaces.yaml", False),
        ("validate", "scenarios/vip.yaml", True),
        ("validate", "tests/scenarios/a/vip.yml", True),
        ("validate", "workspace.yaml", False),
    ],
)
def test_the_files_of_a_hook(name: str, path: str, taken: bool) -> None:
    hook = HOOKS[name]
    assert (bool(re.search(hook["files"], path)) and not re.search(hook.get("exclude", "^$"), path)) is taken


def test_pre_commit_installs_and_runs_them(
    request: pytest.FixtureRequest, long: bool, tmp_path: Path, workspaces: tuple[Path, Path]
) -> None:
    if not long or shutil.which("git") is None:
        pytest.skip("needs git, and --long: it installs everything once more")
    tools, dist = (request.getfixturevalue(name) for name in ("tools", "dist"))
    hooks, project = tmp_path / "hooks", tmp_path / "project"
    (source,) = dist.glob("*.tar.gz")
    with tarfile.open(source) as packed:
        packed.extractall(hooks, filter="data")
    (repository,) = hooks.iterdir()
    project.mkdir()
    for path in workspaces:
        path.rename(project / path.name)
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
    for folder in (repository, project):
        for words in (("init", "--quiet"), ("add", "--all"), (*identity, "commit", "--quiet", "--message", "a")):
            assert run("git", *words, cwd=folder).returncode == 0
    home = f"PRE_COMMIT_HOME={tmp_path / 'home'}"
    done = run("env", home, tools / "pre-commit", "try-repo", repository, "--all-files", "--verbose", cwd=project)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "S004 error shop.workspace.yml (workspace): destinations[0].settings.apiKey" in done.stdout
    assert "S004 error workspace.yaml" not in done.stdout
    assert re.search(r"^validate documents.*\(no files to check\)Skipped$", done.stdout, re.MULTILINE)
