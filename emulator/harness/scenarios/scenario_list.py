"""The built-in scenarios by name, `emails/not-sent`: listed and read without being parsed for a run, and parsed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from emulator.errors import NotFound, unknown
from emulator.harness.scenarios.files import built_in, scenarios_in_file
from emulator.harness.scenarios.model import Document, Scenario
from emulator.text_files import read_text
from emulator.yaml_files import load_yaml


def built_in_scenarios(name: str | None = None, *, base: Document | None = None) -> list[Scenario]:
    """The scenario with this name, by default every one, in the workspace `base`, by default the default one.

    Messages and results have the name: where the file is depends on the installation. Raises NotFound, InputError.
    """
    names = _names() if name is None else (name,)
    return [
        scenario for each in names for scenario in scenarios_in_file(_path_of(each), known_as=Path(each), base=base)
    ]


def text_of(name: str) -> str:
    """The YAML of a scenario. Raises NotFound."""
    return read_text(_path_of(name))


def _path_of(name: str) -> Path:
    """The file of a scenario. Raises NotFound."""
    if name not in _names():
        raise unknown("scenario", name, _names(), where="scenario", error=NotFound)
    return built_in() / f"{name}.yaml"


@cache
def listed() -> tuple[Mapping[str, Any], ...]:
    """Every scenario, sorted by name, as a dict of JSON values: `name`, `group`, `title`, `about`, the ids of the
    ledger that it `shows`, and the `cells` of its matrix.
    """
    return tuple(map(_entry, _names()))


@cache
def scenarios_by_ledger_id() -> Mapping[str, list[str]]:
    """The names of the scenarios that show a row of the ledger, by its id."""
    found: dict[str, list[str]] = {}
    for entry in listed():
        for shown in entry["shows"]:
            found.setdefault(shown, []).append(entry["name"])
    return found


@cache
def _names() -> tuple[str, ...]:
    folder = built_in()
    return tuple(sorted(each.relative_to(folder).with_suffix("").as_posix() for each in folder.rglob("*.yaml")))


def _entry(name: str) -> dict[str, Any]:
    document = load_yaml(text_of(name))
    return {
        "name": name,
        "group": name.partition("/")[0],
        "title": document["title"],
        "about": document["about"].strip(),
        "shows": document.get("shows", []),
        "cells": [*_cells(document)],
    }


def _cells(document: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    for cells in document.get("matrix", ()):
        for generation in cells["generations"]:
            for api_version in cells["apiVersions"]:
                yield {"generation": generation, "apiVersion": api_version, "expected": cells["expected"]}
