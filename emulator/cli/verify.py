"""`verify`: plays scenarios and replays recorded exchanges against the emulator or any other endpoint."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any

import click
from rich.progress import track
from rich.table import Table
from rich.text import Text

from emulator.cli.coverage_option import CoverageOfScenarios, coverage_option
from emulator.cli.github import JobReport, job_report
from emulator.cli.remote import client_of, control_token, control_token_option, remote_options
from emulator.cli.terminal import Terminal
from emulator.errors import InputError, unwritable
from emulator.harness.client import Endpoint, RemoteEmulator, in_process, probe
from emulator.harness.recordings import replay
from emulator.harness.scenarios import (
    FAILED,
    PASSED,
    SKIPPED,
    Report,
    Scenario,
    Target,
    built_in_scenarios,
    graphql_only,
    junit_xml,
    play,
    read_scenarios,
    sandboxes_of,
    separate_emulators,
)
from emulator.server.emulator import Emulator
from emulator.workspace import Workspace, parse_workspace
from emulator.workspace_file import read

_EPILOG = """\b
Examples:
  stackadapt-emulator verify
  stackadapt-emulator verify -k deletion ./scenarios --junit-xml verify.xml
  stackadapt-emulator verify --target http://127.0.0.1:8585
  stackadapt-emulator verify --target http://localhost:4000/graphql --token TOKEN --advertiser 23
  stackadapt-emulator verify ./scenarios --coverage coverage.json
  stackadapt-emulator verify --exchanges exchanges.jsonl --latency 4h
"""
_STYLES = {PASSED: "green", FAILED: "red", SKIPPED: "yellow"}


@click.command(epilog=_EPILOG)
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--exchanges",
    "recordings",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Recording to replay; without a PATH no scenarios are played.",
)
@click.option("--latency", help="Time until profiles are visible in a replay, such as 4h.")
@click.option(
    "--workspace",
    "workspace_path",
    type=click.Path(path_type=Path),
    help="Workspace of the scenarios at PATH that name none.",
)
@click.option("--target", "url", help="Running emulator or GraphQL endpoint; separate emulators when absent.")
@click.option("--token", help="Bearer token for a --target that is not an emulator.")
@click.option("--advertiser", help="Advertiser id for a --target that is not an emulator.")
@click.option("-k", "--filter", "text", help="Only scenarios with this text in the title, path or ledger id.")
@click.option("--list", "listing", is_flag=True, help="Print the titles only.")
@click.option(
    "--junit-xml", "junit_path", type=click.Path(path_type=Path, dir_okay=False), help="Write the results as JUnit XML."
)
@click.option(
    "--fail-on-unused", is_flag=True, help="Fail a scenario when a fault or a rate limit had no effect in it."
)
@coverage_option
@click.option("--json", "as_json", is_flag=True, help="Print the results as one JSON object.")
@remote_options
@control_token_option
def command(
    paths: Sequence[Path],
    recordings: Sequence[Path],
    latency: str | None,
    workspace_path: Path | None,
    url: str | None,
    token: str | None,
    advertiser: str | None,
    text: str | None,
    listing: bool,
    junit_path: Path | None,
    fail_on_unused: bool,
    coverage_path: Path | None,
    as_json: bool,
) -> None:
    """Play scenarios (files or folders; the built-in ones by default) and compare with what they expect.

    Each scenario is played in a separate emulator, or in a new sandbox of a --target that is an emulator. At any other
    endpoint scenarios that need more than GraphQL are skipped. Exits 1 when a scenario fails.

    Scenarios at a PATH have the workspace that they name, else that of --workspace, else that of a --target that is an
    emulator, else the default one. The built-in ones always have the default one.

    --exchanges replays a file of `record` and prints each difference between the responses. The clock is frozen, and
    advanced as between the recorded requests. The workspace has the advertisers and tokens of the recording.
    """
    if workspace_path is not None and not paths:
        hint = "Name the files or folders of your scenarios; the built-in ones have the default workspace."
        raise InputError("--workspace is for scenarios of your own", where="verify", hint=hint)
    with job_report("verify") as job, _target(url, token, advertiser) as target:
        scenarios = [] if recordings and not paths else _chosen(_scenarios(paths, workspace_path, target), text)
        if listing:
            _list(scenarios, as_json)
            return
        coverage = None if coverage_path is None else CoverageOfScenarios(coverage_path)
        target = target if coverage is None else coverage.observing(target)
        results = [play(each, target, fail_on_unused=fail_on_unused) for each in _with_progress(scenarios)]
        exchanges = [result for path in recordings for result in replay(path, target, latency=latency)]
        report = Report(target=target.name, scenarios=results, exchanges=exchanges)
        _annotate(job, report)
    _output(report, junit_path, as_json=as_json)
    if coverage is not None:
        coverage.finish(results)
    if report.counts()[FAILED]:
        raise SystemExit(1)


def _output(report: Report, junit_path: Path | None, *, as_json: bool) -> None:
    if junit_path is not None:
        try:
            junit_path.write_text(junit_xml(report), encoding="utf-8")
        except OSError as error:
            raise unwritable(junit_path, error) from None
    if as_json:
        click.echo(json.dumps(report.as_dict(), ensure_ascii=False))
    else:
        _show(report)


def _base(path: Path | None, target: Target) -> Mapping[str, Any] | None:
    """The JSON form of the workspace of scenarios that name none; None for the default one."""
    if path is None:
        return target.workspace()
    document = read(path)
    parse_workspace(document, where=str(path))
    return document


def _scenarios(paths: Sequence[Path], workspace_path: Path | None, target: Target) -> list[Scenario]:
    if not paths:
        return built_in_scenarios()
    return read_scenarios(paths, base=_base(workspace_path, target))


def _chosen(scenarios: list[Scenario], text: str | None) -> list[Scenario]:
    chosen = [scenario for scenario in scenarios if text is None or scenario.matches(text)]
    if not chosen:
        raise InputError("no matching scenario", where="--filter", found=text, hint="--list prints the titles.")
    return chosen


def _list(scenarios: Iterable[Scenario], as_json: bool) -> None:
    if as_json:
        listed = [{"file": each.path.as_posix(), "title": each.title, "shows": each.shows} for each in scenarios]
        click.echo(json.dumps({"scenarios": listed}, ensure_ascii=False))
        return
    for scenario in scenarios:
        click.echo(f"{scenario.group}/{scenario.path.stem}: {scenario.title}")


@contextmanager
def _target(url: str | None, token: str | None, advertiser: str | None) -> Iterator[Target]:
    if url is None:
        yield separate_emulators(_new_emulator)
        return
    found = probe(url, client_of, token=token, advertiser_id=advertiser, control_token=control_token())
    if isinstance(found, RemoteEmulator):
        yield sandboxes_of(found)
        return
    with found.open() as endpoint:
        yield graphql_only(endpoint)


@contextmanager
def _new_emulator(workspace: Workspace) -> Iterator[Endpoint]:
    with Emulator(workspace) as emulator, in_process(emulator.app) as endpoint:
        yield endpoint


def _with_progress(scenarios: Sequence[Scenario]) -> Iterable[Scenario]:
    console = Terminal(stderr=True)
    return track(scenarios, "playing", console=console, transient=True, disable=not console.is_terminal)


def _show(report: Report) -> None:
    console = Terminal(highlight=False, markup=False)
    console.print(_table(report))
    for result in report.results:
        if result.outcome != PASSED:
            console.print(Text(f"\n{result.outcome}  {result.case.title}", _STYLES[result.outcome]))
            console.print(f"  {result.case.path}", soft_wrap=True)
            for line in result.lines():
                console.print(f"  {line}", soft_wrap=True)
    if matrix := report.matrix():
        console.print("Generations of the destination with API versions of StackAdapt")
        console.print(_matrix(matrix))
    console.print(_totals(report), soft_wrap=True)


def _totals(report: Report) -> str:
    counts = ", ".join(f"{number} {outcome}" for outcome, number in report.counts().items())
    return f"{counts}, against {report.target}"


def _annotate(job: JobReport, report: Report) -> None:
    """An annotation for each failed check, at its line; the timelines are in the summary."""
    job.outcome = _totals(report)
    for result in report.results:
        if result.outcome != FAILED:
            continue
        failures = [(f"expected {each.expected}\nfound {each.found}", each.place) for each in result.failures]
        if result.reason is not None:
            failures.append((result.reason, result.place))
        case, details = result.case, "\n".join(result.lines())
        for number, (message, place) in enumerate(failures):
            line = case.line or job.line_of(str(case.path), place)
            job.add_failure(case.title, message, file=str(case.path), line=line, details=None if number else details)


def _table(report: Report) -> Table:
    table = Table("group", "scenario or exchange", "outcome")
    for group, results in groupby(report.results, lambda result: result.case.group):
        table.add_section()
        for index, result in enumerate(results):
            outcome = Text(result.outcome, _STYLES[result.outcome])
            table.add_row(group if index == 0 else "", Text(result.case.title), outcome)
    return table


def _matrix(matrix: Mapping[str, Mapping[str, str]]) -> Table:
    api_versions = sorted({api_version for cells in matrix.values() for api_version in cells}, reverse=True)
    table = Table("generation", *(f"API version {api_version}" for api_version in api_versions))
    for generation, cells in matrix.items():
        found = [cells.get(api_version, "") for api_version in api_versions]
        table.add_row(generation, *(Text(each, _STYLES.get(each, "")) for each in found))
    return table
