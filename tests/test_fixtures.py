"""The committed fixtures are what the commands in fixtures/README.md generate."""

from __future__ import annotations

import csv
import json
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from emulator.artefacts import fixture
from emulator.generator.names import FAKER_RELEASE

README = fixture("README.md").read_text(encoding="utf-8")
COMMANDS = [shlex.split(line) for line in re.findall(r"^stackadapt-emulator (generate .*)$", README, re.MULTILINE)]
WRITTEN_MANUALLY = {
    "README.md",
    "workspace.yaml",
    "empty-workspace.yaml",
    "starter-workspace.yaml",
    "trigger-of-2024.yaml",
    "newsletter-workspace.yaml",
    "newsletter-scenario.yaml",
    "identify.json",
    "mistakes.jsonl",
    "shards_with_dask.py",
    "naive_client.py",
    "careful_client.py",
}
# Fields whose values are, or contain, Faker's words.
WORDS = {"email", "first_name", "last_name", "phone", "street", "city", "state", "postal_code", "timezone", "name"}

Run = Callable[..., subprocess.CompletedProcess[str]]


def output_of(command: list[str]) -> Path:
    return Path(command[command.index("-o") + 1])


def test_every_fixture_has_its_command() -> None:
    made = {output_of(command).name for command in COMMANDS}
    assert {path.name for path in fixture("README.md").parent.iterdir()} == made | WRITTEN_MANUALLY


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: output_of(command).name)
def test_the_recorded_command_makes_the_fixture(run: Run, tmp_path: Path, command: list[str]) -> None:
    committed = fixture(output_of(command).name)
    again = tmp_path / committed.name
    made = run(*[str(again) if argument == str(output_of(command)) else argument for argument in command])
    assert made.returncode == 0, made.stderr
    if FAKER_RELEASE in README:
        assert again.read_bytes() == committed.read_bytes()
    # Another version of Faker may have other words; everything else must be equal.
    assert [*map(without_words, records(again))] == [*map(without_words, records(committed))]


def records(path: Path) -> Iterator[Any]:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".csv":
        yield from csv.DictReader(text.splitlines(keepends=True))
    elif path.suffix == ".jsonl":
        yield from map(json.loads, text.splitlines())
    else:
        yield yaml.safe_load(text)


def without_words(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: None if name in WORDS else without_words(member) for name, member in value.items()}
    if isinstance(value, list):
        return [without_words(member) for member in value]
    return value
