"""The wheel and the source distribution: the same bytes wherever they are built, complete, and run by uvx and pipx."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tarfile
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from zipfile import ZipFile

import pytest

from tests.e2e.installed import ROOT, run

DATE = "SOURCE_DATE_EPOCH=1700000000"
NOT_COPIED = shutil.ignore_patterns(".git", ".venv", "__pycache__", "node_modules", ".*_cache", ".hypothesis")
# What is in a checkout that someone has worked in, and ignored there.
CLUTTER = ("contracts/node_modules/left/index.js", "emulator/docs/__pycache__/x.pyc", "fixtures/build/people.csv")


def built(tools: Path, source: Path, target: Path) -> dict[str, str]:
    """The SHA-256 of what is built from a folder, by suffix."""
    done = run("env", DATE, tools / "python", "-m", "hatchling", "build", "-d", target, cwd=source)
    assert done.returncode == 0, done.stdout + done.stderr
    return digests(target)


def digests(folder: Path) -> dict[str, str]:
    return {path.suffix: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def wheel_in(dist: Path) -> ZipFile:
    (wheel,) = dist.glob("*.whl")
    return ZipFile(wheel)


def test_another_checkout_gives_the_same_bytes(tools: Path, dist: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(ROOT, tmp_path / "elsewhere", ignore=NOT_COPIED)
    for name in CLUTTER:
        (copy / name).parent.mkdir(parents=True)
        (copy / name).write_text("not of the package")
    for path in copy.rglob("*.md"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
        path.chmod(0o600)
    assert built(tools, copy, tmp_path / "dist") == digests(dist)


def test_the_source_distribution_gives_the_same_wheel(tools: Path, dist: Path, tmp_path: Path) -> None:
    (source,) = dist.glob("*.tar.gz")
    with tarfile.open(source) as packed:
        packed.extractall(tmp_path, filter="data")
    (unpacked,) = tmp_path.iterdir()
    assert built(tools, unpacked, tmp_path / "dist") == digests(dist)


def test_its_files_have_the_date_of_the_release(dist: Path) -> None:
    date = datetime.fromtimestamp(int(DATE.partition("=")[2]), UTC)
    assert {each.date_time[:5] for each in wheel_in(dist).infolist()} == {date.timetuple()[:5]}


def test_the_wheel_has_every_file_of_the_package_and_no_other(dist: Path) -> None:
    places = {"emulator": "emulator", "contracts": "emulator/contracts", "fixtures": "emulator/fixtures"}
    expected = {
        f"{place}/{path.relative_to(ROOT / folder).as_posix()}"
        for folder, place in places.items()
        for path in (ROOT / folder).rglob("*")
        # `clients` are packages of other languages.
        if path.is_file() and not {"__pycache__", "node_modules", "clients"} & {*path.parts}
    }
    entry = "emulator/pytest_entry/stackadapt_emulator_pytest.py"
    found = {name for name in wheel_in(dist).namelist() if ".dist-info/" not in name}
    assert found == {*expected, PurePosixPath(entry).name} - {entry}
    assert {"emulator/docs/ci.md", "emulator/contracts/openapi.yaml", "emulator/fixtures/workspace.yaml"} <= found
    assert [name for name in found if {"tests", "test", "conftest.py"} & {*name.split("/")}] == []


def test_the_metadata_is_valid(tools: Path, dist: Path) -> None:
    done = run(tools / "twine", "check", "--strict", *dist.iterdir(), cwd=dist)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "line",
    [
        "uvx --from dist/*.whl stackadapt-emulator demo --people 20",
        "pipx run --spec dist/*.whl stackadapt-emulator demo --people 20",
    ],
    ids=["uvx", "pipx"],
)
def test_it_runs_without_being_installed(tools: Path, dist: Path, tmp_path: Path, line: str, long: bool) -> None:
    if "pipx" in line and not long:
        pytest.skip("needs --long: it installs everything as uvx does, for ten times as long")
    (tmp_path / "dist").symlink_to(dist)
    variables = (
        f"PATH={tools}{os.pathsep}{os.environ['PATH']}",
        f"UV_PYTHON={sys.executable}",
        f"UV_TOOL_DIR={tmp_path / 'tools'}",
        f"PIPX_HOME={tmp_path / 'pipx'}",
        f"PIPX_DEFAULT_PYTHON={sys.executable}",
    )
    done = run("env", *variables, "sh", "-c", line, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Every event is accounted for" in done.stdout
