"""`mutate`: which mistakes in a workspace would scenarios and tests not notice?"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from emulator.artefacts import fixture
from emulator.cli.finite_numbers import FiniteRange
from emulator.cli.option_combinations import refuse_together, without_a_run
from emulator.cli.report_output import MARKDOWN, TEXT, output_option, print_report, text_of_report
from emulator.cli.terminal import progress
from emulator.ending_signals import ended_by_signals
from emulator.errors import InputError
from emulator.harness.client import Endpoint, in_process
from emulator.harness.mutate import (
    EVENTS,
    KINDS,
    Judge,
    Killed,
    Mutants,
    Mutation,
    ScenarioJudge,
    as_markdown,
    chosen,
    judged,
    lines_of_mutants,
    lines_of_mutations,
    mutations_of,
    outdated,
    read_explained,
)
from emulator.harness.scenarios import built_in_scenarios, read_scenarios, separate_emulators
from emulator.server.emulator import Emulator
from emulator.text import counted_noun
from emulator.text_files import read_text
from emulator.workspace import Workspace, parse_workspace
from emulator.workspace_file import read
from emulator.yaml_lines import lines_in

_KINDS = "\n".join(f"  {kind:16}{meaning}" for kind, meaning in KINDS.items()).replace("`", "")
_EPILOG = f"""\b
Examples:
  stackadapt-emulator mutate --only toggle
  stackadapt-emulator mutate --workspace workspace.yaml --scenarios ./scenarios --fail-under 90
  stackadapt-emulator mutate --workspace workspace.yaml --sample 20 --seed 7 -- pytest
  stackadapt-emulator mutate --workspace workspace.yaml --scenarios ./scenarios --explained survivors.yaml
  stackadapt-emulator mutate --workspace workspace.yaml --list
\b
Kinds of mutations:
{_KINDS}
\b
Exit codes: 0; 1 for a score under --fail-under, or a survivor that --explained does not explain; 2 for bad usage, a bad
workspace, or scenarios and tests that fail without a mutation.
"""
_FAILED = 1
_DEFAULT = "default"
_OF_A_RUN = {
    "scenario_paths": "--scenarios",
    "events": "--events",
    "fail_under": "--fail-under",
    "explained_path": "--explained",
    "form": "--format",
    "command_line": "COMMAND",
}
_WITHOUT_EFFECT: Mapping[tuple[str, ...], str] = {
    ("as_json", "form"): "--format cannot be combined with --json.",
    **without_a_run(_OF_A_RUN),
}


@click.command(epilog=_EPILOG, context_settings={"allow_interspersed_args": False})
@click.option(
    "--workspace", "workspace_path", type=click.Path(path_type=Path), help="Workspace; the default without it."
)
@click.option(
    "--scenarios",
    "scenario_paths",
    multiple=True,
    type=click.Path(path_type=Path),
    help="File or folder; the built-in ones for the default workspace without it.",
)
@click.option("--only", "only", multiple=True, metavar="KIND", help="Only mutations of this kind.")
@click.option("--sample", type=click.IntRange(min=1), metavar="NUMBER", help="Only so many, drawn at random.")
@click.option("--seed", default=1, show_default=True, help="Of the sample and of events at random.")
@click.option(
    "--events",
    default=EVENTS,
    show_default=True,
    type=click.IntRange(1, 100_000),
    help="How many are tried to reveal a survivor.",
)
@click.option("--fail-under", type=FiniteRange(0, 100), metavar="PERCENT", help="Exit with 1 for a lower score.")
@click.option(
    "--explained",
    "explained_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File that says why survivors are accepted; exit with 1 for any other.",
)
@click.option("--list", "listing", is_flag=True, help="Print the mutations only.")
@click.option("--format", "form", type=click.Choice([TEXT, MARKDOWN]), default=TEXT, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@output_option
@click.argument("command_line", metavar="[-- COMMAND [ARGUMENT]...]", nargs=-1, type=click.UNPROCESSED)
def command(
    workspace_path: Path | None,
    only: Sequence[str],
    sample: int | None,
    listing: bool,
    form: str,
    as_json: bool,
    output: Path | None,
    fail_under: float | None,
    **options: Any,
) -> None:
    """Make small mistakes in a workspace, one at a time, and show which of them nothing notices.

    Each mutation of a trigger, a mapping or a switch is tried with the scenarios until one fails, then with COMMAND. It
    has an emulator with the mutated workspace, the variables of `exec`, and the path of the workspace file in
    STACKADAPT_EMULATOR_WORKSPACE. A mutation that nothing notices survives; it is shown with an event that reveals it.
    """
    refuse_together(_WITHOUT_EFFECT)
    path = workspace_path or fixture("workspace.yaml")
    document = read(path)
    parse_workspace(document, where=str(path))
    mutations = mutations_of(document)
    picked = chosen(mutations, only=only, sample=sample, seed=options["seed"])
    line_of = lines_in(read_text(path))
    if listing:
        print_report(_listed(picked, line_of, as_json=as_json), output)
        return
    explained = read_explained(options["explained_path"]) if options["explained_path"] else []
    against, judge = _judge(document, workspace_path, options["scenario_paths"], options["command_line"])
    chance = {"events": options["events"], "seed": options["seed"]}
    with progress(len(picked)) as report, ended_by_signals():
        found = judged(document, picked, judge, **chance, line_of=line_of, explained=explained, report=report)
    mutants = Mutants(
        workspace=str(workspace_path or _DEFAULT),
        against=against,
        possible=len(mutations),
        judged=found,
        events=options["events"],
        outdated=outdated(explained, mutations, found),
    )
    text = text_of_report(
        mutants,
        as_json=as_json,
        form=form,
        lines=lambda: lines_of_mutants(mutants),
        markdown=lambda: as_markdown(mutants),
    )
    print_report(text, output)
    _exit(mutants, fail_under, options["explained_path"])


def _judge(
    document: Mapping[str, Any], path: Path | None, scenario_paths: Sequence[Path], command_line: Sequence[str]
) -> tuple[str, Judge]:
    """What has to notice mutations, and its name. Raises InputError, WorkspaceError."""
    judges: list[Judge] = []
    names: list[str] = []
    scenarios = read_scenarios(scenario_paths, base=document)
    if not scenarios and not command_line:
        if path is not None:
            raise InputError(
                "nothing that could notice a mutation",
                where="mutate",
                hint="Name scenarios of this workspace with --scenarios, or a command after --; the built-in scenarios "
                "are about the default workspace.",
            )
        scenarios = built_in_scenarios(base=document)
    if scenarios:
        judges.append(ScenarioJudge(scenarios, separate_emulators(_new_emulator)))
        names.append(counted_noun(len(scenarios), "scenario"))
    if command_line:
        from emulator.cli.mutant_tests import CommandJudge

        judges.append(CommandJudge(command_line, document))
        names.append(" ".join(command_line))

    def judge(mutation: Mutation) -> Killed | None:
        return next(filter(None, (each(mutation) for each in judges)), None)

    return " and ".join(names), judge


@contextmanager
def _new_emulator(workspace: Workspace) -> Iterator[Endpoint]:
    with Emulator(workspace) as emulator, in_process(emulator.app) as endpoint:
        yield endpoint


def _listed(mutations: Sequence[Mutation], line_of: Callable[[str], int | None], *, as_json: bool) -> str:
    found = [(each, None if each.inherited else line_of(each.place)) for each in mutations]
    if as_json:
        listed = [{**each.as_dict(), "line": line} for each, line in found]
        return f"{json.dumps({'mutations': listed}, ensure_ascii=False, indent=2)}\n"
    return "".join(f"{line}\n" for line in lines_of_mutations(found))


def _exit(mutants: Mutants, fail_under: float | None, explained_path: Path | None) -> None:
    mistakes = []
    if fail_under is not None and mutants.score < fail_under:
        mistakes.append(f"the score is {mutants.score:g} %, less than {fail_under:g} %")
    if explained_path is not None and mutants.unexplained:
        number = counted_noun(len(mutants.unexplained), "survivor")
        mistakes.append(f"{explained_path} does not explain {number}")
    if mutants.outdated:
        mistakes.append(f"{explained_path} explains mutations that do not survive: {len(mutants.outdated)}")
    for mistake in mistakes:
        click.echo(f"error: {mistake}", err=True)
    if mistakes:
        sys.exit(_FAILED)
