"""Finds scenario files, validates them with `contracts/scenario.schema.json`, and parses them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from emulator.artefacts import contract
from emulator.errors import InputError
from emulator.harness.scenarios.actions import ANONYMOUS, read_action
from emulator.harness.scenarios.expectations import read_expectations
from emulator.harness.scenarios.model import Cell, Document, FindPerson, Person, Scenario, Step, workspace_of
from emulator.harness.scenarios.names import KnownNames, check_name, check_names, words_of
from emulator.merge_patch import merged
from emulator.schemas import first_mistake
from emulator.workspace import Workspace, parse_workspace
from emulator.workspace_file import read
from emulator.yaml_files import read_mapping

SCHEMA = "scenario.schema.json"
_LEDGER = "fidelity.yaml"
_CHANGES = frozenset({"workspace", "latency", "destination", "audience", "subscription"})
_SUFFIXES = (".yaml", ".yml", ".json")


def built_in() -> Path:
    """The folder of the built-in scenarios."""
    return contract("scenarios")


def read_scenarios(paths: Sequence[Path], *, base: Document | None = None) -> list[Scenario]:
    """The scenarios in files and folders, recursively, sorted by name. Raises InputError for the first invalid one.

    `base` is the JSON form of the workspace of scenarios that name none, by default the default workspace.
    """
    return [scenario for path in _files(paths) for scenario in scenarios_in_file(path, known_as=path, base=base)]


def scenarios_in_file(path: Path, *, known_as: Path, base: Document | None = None) -> Iterator[Scenario]:
    """The scenarios in a file that messages and results call `known_as`. Raises InputError, WorkspaceError."""
    document = read_mapping(path, what="a scenario", mistake=InputError)
    if mistake := first_mistake(document, SCHEMA):
        raise mistake.as_error(InputError, str(known_as))
    yield from scenarios_in(document, known_as, folder=path.parent, base=base)


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        found = sorted(each for each in path.rglob("*") if each.suffix in _SUFFIXES)
        if not found:
            raise InputError("no scenario in this folder", where=str(path), allowed=f"files {', '.join(_SUFFIXES)}")
        yield from found


def scenarios_in(document: Document, path: Path, *, folder: Path, base: Document | None = None) -> Iterator[Scenario]:
    """The scenarios of a document that matches the schema. `path` is its name in messages; the workspace that it names
    is relative to `folder`. Raises InputError, WorkspaceError.
    """
    for index, shown in enumerate(document.get("shows", ())):
        check_name("id of contracts/fidelity.yaml", shown, _ledger(), f"{path}: shows[{index}]", listing=False)
    given, base = _with_base(document.get("given", {}), folder, base)
    if "matrix" not in document:
        yield _scenario(path, document, given, base, document["steps"], "steps", None)
        return
    for index, cells in enumerate(document["matrix"]):
        of_cells, base_of_cells = _with_base(cells.get("given", {}), folder, base)
        for generation in cells["generations"]:
            for api_version in cells["apiVersions"]:
                change = {"workspace": {"apiVersion": api_version}, "destination": {"generation": generation}}
                yield _scenario(
                    path,
                    document,
                    merged(merged(given, of_cells), change),
                    base_of_cells,
                    cells["steps"],
                    f"matrix[{index}].steps",
                    Cell(generation=generation, api_version=api_version, expected=cells["expected"]),
                )


def _with_base(given: Document, folder: Path, base: Document | None) -> tuple[Document, Document | None]:
    """What is given besides a workspace file, and the workspace in it; `base` where no file is named."""
    name = given.get("workspace")
    if not isinstance(name, str):
        return given, base
    file = folder / name
    named = read(file)
    parse_workspace(named, where=str(file))
    return {key: value for key, value in given.items() if key != "workspace"}, named


def _scenario(
    path: Path,
    document: Document,
    given: Document,
    base: Document | None,
    steps: Sequence[Document],
    place: str,
    cell: Cell | None,
) -> Scenario:
    where = f"{path}: given"
    workspace = workspace_of(given, where=where, base=base)
    checked = parse_workspace(workspace, where=where)
    listed = given.get("people", {})
    people = {name: _person(name, each or {}) for name, each in listed.items()}
    actions = [each for step in steps for each in step.get("when", ()) if "fault" not in each]
    words = frozenset(words_of([workspace, listed, actions]))
    changing = any("change" in each for each in actions)
    known = (
        KnownNames(workspace=each, words=words) for each in _workspaces(workspace, checked, steps, f"{path}: {place}")
    )
    suffix = f" ({cell.generation}, API version {cell.api_version})" if cell else ""
    return Scenario(
        path=path,
        group=path.parent.name,
        title=f"{document['title']}{suffix}",
        about=document["about"],
        shows=tuple(document.get("shows", ())),
        people=people,
        workspace=workspace,
        own_workspace=changing or not _CHANGES.isdisjoint(document.get("given", {})) or cell is not None,
        steps=tuple(
            _step(path, step, people, names, f"{place}[{index}]")
            for index, (step, names) in enumerate(zip(steps, known, strict=True))
        ),
        cell=cell,
    )


def _workspaces(document: Document, checked: Workspace, steps: Sequence[Document], where: str) -> Iterator[Workspace]:
    """The workspace after the actions of each step, from its JSON form. Raises WorkspaceError for an invalid change."""
    for number, step in enumerate(steps):
        for index, action in enumerate(step.get("when", ())):
            if "change" in action:
                place = f"{where}[{number}].when[{index}].change"
                document = workspace_of(action["change"], where=place, base=document)
                checked = parse_workspace(document, where=place)
        yield checked


def _person(name: str, given: Document) -> Person:
    return Person(
        name=name, user_id=given.get("userId", name), email=given.get("email"), traits=given.get("traits", {})
    )


def _step(path: Path, step: Document, people: Mapping[str, Person], known: KnownNames, place: str) -> Step:
    where = f"{path}: {place}"

    def finding(within: str) -> FindPerson:
        def find(name: str) -> Person:
            check_name("person", name, people, f"{where}.{within}")
            return people[name]

        return find

    check_names(step, known, where)
    when = [
        (f"{place}.when[{index}]", read_action(each, finding(f"when[{index}]")))
        for index, each in enumerate(step.get("when", ()))
    ]
    tokens = [*(token.name for token in known.workspace.tokens), ANONYMOUS]
    for token in sorted(token for _, each in when for token in each.tokens):
        check_name("token", token, tokens, where)
    then = read_expectations(step.get("then", {}), finding("then"))
    return Step(when=tuple(when), then=tuple((f"{place}.then.{kind}", each) for kind, each in then))


@cache
def _ledger() -> tuple[str, ...]:
    """The ids of the fidelity ledger."""
    rows = read_mapping(contract(_LEDGER), what="the ledger", mistake=InputError)["behaviours"]
    return tuple(row["id"] for row in rows)
