"""What commands and the control API return names files as users know them, never where the package is installed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from gzip import decompress
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from werkzeug.test import TestResponse

import emulator as package
from emulator import Emulator
from emulator.artefacts import contract_text, contracts_dir, fixtures_dir
from emulator.cli import cli
from emulator.yaml_files import load_yaml

INSTALLED = (str(Path(package.__file__).parent), str(contracts_dir()), str(fixtures_dir()))
NAME = "profiles/appears"
EVENT = {"type": "identify", "userId": "u1", "traits": {"email": "ada@example.com"}}
# Commands that read files of the package, and how each is run at the smallest scale; REPORT is a file to write.
RUNS = (
    "lint --json",
    "validate EVENTS --json",
    "map EVENTS --json",
    "explain EVENTS --json",
    f"verify --filter {NAME} --json --junit-xml REPORT",
    "mutate --list --json",
    "upgrade-check EVENTS --json",
    "fidelity --json",
    "docs --json",
    "docs --search scenario --json",
    "generate workspace --output REPORT",
)
# Requests that read such files, with their bodies.
REQUESTS: tuple[tuple[str, Any], ...] = (
    ("scenarios/run", {"scenario": NAME}),
    ("scenarios/run?format=junit", {"scenario": NAME}),
    ("scenarios/run", {"scenario": "profiles/appear"}),
    ("mutate", {"scenario": NAME, "sample": 1, "events": 1}),
)
GETS = tuple(
    path
    for path, operations in load_yaml(contract_text("openapi.yaml"))["paths"].items()
    if path.startswith("/_emulator/") and "get" in operations and "{" not in path
)


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


def named(text: str) -> list[str]:
    """The lines that have a path of the package."""
    return [line for line in text.splitlines() if any(each in line for each in INSTALLED)]


@pytest.mark.parametrize("arguments", RUNS)
def test_no_command_names_the_folder_of_the_package(
    arguments: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("events.jsonl").write_text(json.dumps(EVENT) + "\n", encoding="utf-8")
    names = {"EVENTS": "events.jsonl", "REPORT": "report"}
    done = CliRunner().invoke(cli, [names.get(each, each) for each in arguments.split()])
    assert done.exit_code in (0, 1), done.output
    written = [path.read_text(encoding="utf-8") for path in tmp_path.rglob("*") if path.is_file()]
    assert ("REPORT" in arguments) == (tmp_path / "report").is_file()
    assert named("\n".join([done.output, *written])) == []


def text_of(response: TestResponse) -> str:
    assert response.status_code < 500, response.text
    # A snapshot is compressed.
    data = response.data
    return (decompress(data) if data.startswith(b"\x1f\x8b") else data).decode()


@pytest.mark.parametrize(("path", "body"), REQUESTS)
def test_no_run_of_the_control_api_names_the_folder_of_the_package(emulator: Emulator, path: str, body: Any) -> None:
    assert named(text_of(emulator.client.post(f"/_emulator/{path}", json=body))) == []


@pytest.mark.parametrize("path", GETS)
def test_no_list_of_the_control_api_names_the_folder_of_the_package(emulator: Emulator, path: str) -> None:
    assert named(text_of(emulator.client.get(path))) == []
