"""The built wheel in a clean environment: the tests of the example project pass, and detect mistakes."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.installed import ROOT, run

EXAMPLE = ROOT / "tests" / "example_project"
WORKERS = 8


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """A change to the client, and what its failing tests must print."""

    right: str
    wrong: str
    named: tuple[str, ...]


MISTAKES = {
    "forgets-the-email": Mistake(
        right='            "email": self.email,\n',
        wrong="",
        named=(
            "expected a visible profile for ada@example.com at advertiser 1001; none found",
            "rejected, PAYLOAD_VALIDATION_FAILED: The root value is missing the required field 'email'.",
            "rejected, MISSING_EMAIL: The record has no email",
        ),
    ),
    "uses-the-token-of-reports": Mistake(
        right="self._ask(document, token=self._settings.import_token)",
        wrong="self._ask(document, token=self._settings.report_token)",
        named=(
            "expected a visible profile for ada@example.com at advertiser 1001; none found",
            "upsertProfiles: userErrors, 200; The token has no WRITE scope for advertiser 1001.",
        ),
    ),
    "escapes-no-quote": Mistake(
        right="profiles=json.dumps(profiles)",
        wrong="""profiles='"%s"' % profiles.replace('"', '\\\\"').replace('\\\\\\\\', '')""",
        named=(
            "expected a visible profile for grace@example.com at advertiser 1001; none found",
            "Syntax Error: ",
            "(line 9, column ",
        ),
    ),
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the example project that may be changed."""
    return shutil.copytree(EXAMPLE, tmp_path / "project", ignore=shutil.ignore_patterns("__pycache__"))


def test_the_example_project_passes_with_eight_workers(environment: Path, project: Path) -> None:
    done = run(environment / "bin/pytest", "-n", WORKERS, cwd=project)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{WORKERS} workers" in done.stdout


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_in_the_client_is_detected(environment: Path, project: Path, mistake: Mistake) -> None:
    client = project / "src/shop/client.py"
    code = client.read_text()
    assert code.count(mistake.right) == 1
    client.write_text(code.replace(mistake.right, mistake.wrong))
    done = run(environment / "bin/pytest", cwd=project)
    assert done.returncode == 1, done.stdout + done.stderr
    for words in mistake.named:
        assert words in done.stdout


def test_the_wheel_has_the_contracts_and_no_package_of_another_language(environment: Path) -> None:
    [contracts] = environment.glob("lib/*/site-packages/emulator/contracts")
    assert {path.name for path in contracts.iterdir()} == {each.name for each in (ROOT / "contracts").iterdir()} - {
        "clients"
    }


def test_the_installed_command_needs_no_checkout(environment: Path, tmp_path: Path) -> None:
    done = run(environment / "bin/stackadapt-emulator", "demo", "--people", "20", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Every event is accounted for" in done.stdout


def test_the_installed_plugin_works_where_a_project_has_a_package_of_our_name(
    environment: Path, tmp_path: Path
) -> None:
    (tmp_path / "emulator").mkdir()
    (tmp_path / "emulator/__init__.py").touch()
    (tmp_path / "test_own.py").write_text("import emulator\n\ndef test_own():\n    assert emulator.__file__\n")
    (tmp_path / "test_ours.py").write_text("def test_ours(stackadapt):\n    pass\n")
    done = run(environment / "bin/python", "-m", "pytest", cwd=tmp_path)
    assert "1 passed, 1 error" in done.stdout, done.stdout + done.stderr
    assert f"found: {tmp_path / 'emulator'}" in done.stdout
    assert "site-packages/emulator" in done.stdout
