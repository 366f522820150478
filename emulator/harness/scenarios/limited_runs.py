"""Plays several scenarios within a limited time, and reads those that come without a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from emulator.clock import stopwatch
from emulator.errors import InputError
from emulator.harness.scenarios.files import SCHEMA, scenarios_in
from emulator.harness.scenarios.model import Document, Scenario
from emulator.harness.scenarios.player import Target, play
from emulator.harness.scenarios.results import SKIPPED, Report, Result
from emulator.schemas import first_mistake
from emulator.yaml_files import parse_mapping

_NAME: Final = Path("scenario")


def scenarios_of(text: str, *, base: Document) -> list[Scenario]:
    """The scenarios in YAML or JSON, in the workspace `base` unless they describe their own.

    Raises InputError for an invalid one, and for one that names a file: it could be any of this machine.
    """
    document = parse_mapping(text, where=str(_NAME), what="a scenario", mistake=InputError)
    if mistake := first_mistake(document, SCHEMA):
        raise mistake.as_error(InputError, str(_NAME))
    for place, given in _given(document):
        if isinstance(name := given.get("workspace"), str):
            raise InputError(
                "a scenario that is sent cannot name a file",
                where=f"{_NAME}: {place}.workspace",
                found=name,
                allowed="changes to the workspace, as an object",
                hint="Leave it out to play in the workspace of the sandbox.",
            )
    return [*scenarios_in(document, _NAME, folder=Path(), base=base)]


def play_all(scenarios: Sequence[Scenario], target: Target, *, seconds: float) -> Report:
    """The results of scenarios; those that have not begun within a number of seconds are skipped.

    Raises EmulatorError as `play` does.
    """
    elapsed = stopwatch()
    results = []
    for scenario in scenarios:
        if elapsed() / 1000 < seconds:
            results.append(play(scenario, target))
        else:
            reason = f"Not played: the {seconds:g} seconds of a run are over."
            results.append(Result(case=scenario, outcome=SKIPPED, reason=reason))
    return Report(target=target.name, scenarios=results)


def _given(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield "given", document.get("given", {})
    for index, cells in enumerate(document.get("matrix", ())):
        yield f"matrix[{index}].given", cells.get("given", {})
