"""Scenario files: found, checked against `contracts/scenario.schema.json`, and read into values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from emulator.artefacts import contract
from emulator.errors import InputError, nearest
from emulator.harness.scenarios.checks import read_expectations
from emulator.harness.scenarios.happenings import ANONYMOUS, read_happening
from emulator.harness.scenarios.scenario import Cell, Person, Scenario, Step
from emulator.harness.scenarios.setting import merged, workspace_of
from emulator.schemas import first_mistake
from emulator.workspace import Workspace, parse_workspace
from emulator.yaml_files import read_mapping

SCHEMA = "scenario.schema.json"
_SUFFIXES = (".yaml", ".yml", ".json")

Document = Mapping[str, Any]


def built_in() -> Path:
    """The folder of the scenarios that come along."""
    return contract("scenarios")


def read_scenarios(paths: Sequence[Path]) -> list[Scenario]:
    """The scenarios in files, and in folders at any depth, by name. Raises InputError for the first bad one."""
    return [scenario for path in _files(paths) for scenario in _read(path)]


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        found = sorted(each for each in path.rglob("*") if each.suffix in _SUFFIXES)
        if not found:
            raise InputError("this folder holds no scenario.", where=str(path), allowed=f"files {', '.join(_SUFFIXES)}")
        yield from found


def _read(path: Path) -> Iterator[Scenario]:
    document = read_mapping(path, what="a scenario", mistake=InputError)
    mistake = first_mistake(document, SCHEMA)
    if mistake is not None:
        raise mistake.as_error(InputError, str(path))
    given = document.get("given", {})
    if "matrix" not in document:
        yield _scenario(path, document, given, document["steps"], "steps", None)
        return
    for index, cells in enumerate(document["matrix"]):
        for generation in cells["generations"]:
            for edition in cells["editions"]:
                of_cell = {"workspace": {"apiEdition": edition}, "destination": {"generation": generation}}
                yield _scenario(
                    path,
                    document,
                    merged(merged(given, cells.get("given", {})), of_cell),
                    cells["steps"],
                    f"matrix[{index}].steps",
                    Cell(generation=generation, edition=edition, expected=cells["expected"]),
                )


def _scenario(
    path: Path, document: Document, given: Document, steps: Sequence[Document], place: str, cell: Cell | None
) -> Scenario:
    where = f"{path}: given"
    workspace = workspace_of(given, where=where)
    checked = parse_workspace(workspace, where=where)
    people = {name: _person(name, told or {}) for name, told in given.get("people", {}).items()}
    suffix = f" ({cell.generation}, edition {cell.edition})" if cell else ""
    return Scenario(
        path=path,
        title=f"{document['title']}{suffix}",
        about=document["about"],
        shows=tuple(document["shows"]),
        people=people,
        workspace=workspace,
        steps=tuple(_step(step, people, checked, f"{path}: {place}[{index}]") for index, step in enumerate(steps)),
        cell=cell,
    )


def _person(name: str, told: Document) -> Person:
    return Person(name=name, user_id=told.get("userId", name), email=told.get("email"), traits=told.get("traits", {}))


def _step(step: Document, people: Mapping[str, Person], workspace: Workspace, where: str) -> Step:
    def find(name: str) -> Person:
        _check_known(name, people, where, "person")
        return people[name]

    when = tuple(read_happening(each, find) for each in step.get("when", ()))
    tokens = [token.name for token in workspace.tokens]
    for token in sorted(token for each in when for token in each.tokens):
        _check_known(token, [*tokens, ANONYMOUS], where, "token")
    return Step(when=when, then=tuple(read_expectations(step.get("then", {}), find)))


def _check_known(name: str, known: Iterable[str], where: str, kind: str) -> None:
    names = list(known)
    if name not in names:
        raise InputError(
            f"this scenario has no such {kind}.",
            where=where,
            found=name,
            allowed=", ".join(names) or "none is given",
            hint=nearest(name, names),
        )
