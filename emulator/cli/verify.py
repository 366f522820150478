"""`verify`: scenarios played against the emulator, or against any other endpoint."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path

import click
import httpx
from rich.console import Console
from rich.progress import track
from rich.table import Table
from rich.text import Text

from emulator.cli.remote import client_of, remote_options
from emulator.errors import InputError, UserMistake, unwritable
from emulator.harness.faces import Endpoint
from emulator.harness.faces.sandboxes import sandbox_at
from emulator.harness.remote import address, shown
from emulator.harness.scenarios import (
    FAILED,
    PASSED,
    SKIPPED,
    GraphQLEndpoint,
    OwnEmulators,
    Report,
    Result,
    RunningEmulator,
    Scenario,
    Target,
    built_in,
    junit_xml,
    play_all,
    read_scenarios,
)
from emulator.server.emulator import Emulator
from emulator.workspace import Workspace

_EPILOG = """\b
Examples:
  stackadapt-emulator verify
  stackadapt-emulator verify -k deletion ./scenarios --junit-xml verify.xml
  stackadapt-emulator verify --target http://127.0.0.1:8585
  stackadapt-emulator verify --target http://localhost:4000/graphql --token TOKEN --advertiser 23
"""
_STYLES = {PASSED: "green", FAILED: "red", SKIPPED: "yellow"}


@click.command(epilog=_EPILOG)
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(path_type=Path))
@click.option("--target", "url", help="An emulator that runs, or a GraphQL endpoint; own emulators when absent.")
@click.option("--token", help="Bearer token for a --target that is no emulator.")
@click.option("--advertiser", help="Advertiser id for a --target that is no emulator.")
@click.option("-k", "--filter", "text", help="Only scenarios with this text in title, path or ledger id.")
@click.option("--list", "listing", is_flag=True, help="Print the titles and play nothing.")
@click.option(
    "--junit-xml", "junit_path", type=click.Path(path_type=Path, dir_okay=False), help="Write the results as JUnit XML."
)
@click.option("--json", "as_json", is_flag=True, help="Print the results as one JSON object.")
@remote_options
def command(
    paths: Sequence[Path],
    url: str | None,
    token: str | None,
    advertiser: str | None,
    text: str | None,
    listing: bool,
    junit_path: Path | None,
    as_json: bool,
) -> None:
    """Play scenarios (files or folders; the built-in ones when none is given) and check what must be true.

    Each plays in an emulator of its own. At a --target that is an emulator each gets a sandbox, deleted afterwards; at
    any other endpoint those that GraphQL alone can tell are played, and the others skipped. Exits 1 when one fails.
    """
    scenarios = _chosen(read_scenarios(paths or [built_in()]), text)
    if listing:
        _list(scenarios, as_json)
        return
    target = OwnEmulators(_own_emulator) if url is None else _target(url, token, advertiser)
    results = list(_with_progress(play_all(scenarios, target), len(scenarios)))
    report = Report(target=target.name, results=results)
    if junit_path is not None:
        _write(junit_path, report)
    if as_json:
        click.echo(json.dumps(report.as_dict(), ensure_ascii=False))
    else:
        _show(report)
    if report.counts()[FAILED]:
        raise SystemExit(1)


def _chosen(scenarios: list[Scenario], text: str | None) -> list[Scenario]:
    chosen = [scenario for scenario in scenarios if text is None or scenario.is_about(text)]
    if not chosen:
        raise InputError("no scenario is about this.", where="--filter", found=text, hint="--list prints the titles.")
    return chosen


def _list(scenarios: Iterable[Scenario], as_json: bool) -> None:
    if as_json:
        listed = [{"file": each.path.as_posix(), "title": each.title, "shows": each.shows} for each in scenarios]
        click.echo(json.dumps({"scenarios": listed}, ensure_ascii=False))
        return
    for scenario in scenarios:
        click.echo(f"{scenario.group}/{scenario.path.stem}: {scenario.title}")


@contextmanager
def _own_emulator(workspace: Workspace) -> Iterator[Endpoint]:
    with (
        Emulator(workspace) as emulator,
        httpx.Client(transport=httpx.WSGITransport(app=emulator.app), base_url="http://127.0.0.1") as client,
    ):
        yield sandbox_at(client)


def _target(url: str, token: str | None, advertiser: str | None) -> Target:
    given = address(url)
    root = str(given.copy_with(path="/", query=None, fragment=None))
    try:
        with client_of(root) as client:
            health = client.get("/_emulator/health")
    except httpx.HTTPError as error:
        raise UserMistake(f"nobody answers: {error}.", where="--target", found=shown(given)) from None
    if _is_emulator(health):
        return RunningEmulator(shown(given), lambda: client_of(root))
    for name, value in (("--token", token), ("--advertiser", advertiser)):
        if value is None:
            raise UserMistake(f"a target that is no emulator needs {name}.", where="--target", found=shown(given))
    path = given.path if given.path != "/" else "/graphql"
    return GraphQLEndpoint(
        Endpoint(
            client=client_of(root),
            token=token or "",
            advertiser_id=advertiser or "",
            graphql_path=path,
            controlled=False,
        )
    )


def _is_emulator(health: httpx.Response) -> bool:
    try:
        body = health.json()
    except ValueError:
        return False
    return health.is_success and isinstance(body, dict) and body.get("status") == "ok"


def _with_progress(results: Iterator[Result], total: int) -> Iterable[Result]:
    console = Console(stderr=True)
    return track(results, "playing", total=total, console=console, transient=True, disable=not console.is_terminal)


def _write(path: Path, report: Report) -> None:
    try:
        path.write_text(junit_xml(report), encoding="utf-8")
    except OSError as error:
        raise unwritable(path, error) from None


def _show(report: Report) -> None:
    console = Console(highlight=False, markup=False)
    console.print(_table(report))
    for result in report.results:
        if result.outcome != PASSED:
            console.print(Text(f"\n{result.outcome}  {result.scenario.title}", _STYLES[result.outcome]))
            console.print(f"  {result.scenario.path}", soft_wrap=True)
            for line in result.lines():
                console.print(f"  {line}", soft_wrap=True)
    if matrix := report.matrix():
        console.print("Which generation of the destination works with which edition of StackAdapt's schema")
        console.print(_matrix(matrix))
    counts = ", ".join(f"{number} {outcome}" for outcome, number in report.counts().items())
    console.print(f"{counts}, against {report.target}", soft_wrap=True)


def _table(report: Report) -> Table:
    table = Table("about", "scenario", "outcome", title="Scenarios", title_justify="left")
    for group, results in groupby(report.results, lambda result: result.scenario.group):
        table.add_section()
        for index, result in enumerate(results):
            outcome = Text(result.outcome, _STYLES[result.outcome])
            table.add_row(group if index == 0 else "", Text(result.scenario.title), outcome)
    return table


def _matrix(matrix: Mapping[str, Mapping[str, str]]) -> Table:
    editions = sorted({edition for cells in matrix.values() for edition in cells}, reverse=True)
    table = Table("generation", *(f"edition {edition}" for edition in editions))
    for generation, cells in matrix.items():
        found = [cells.get(edition, "") for edition in editions]
        table.add_row(generation, *(Text(each, _STYLES.get(each, "")) for each in found))
    return table
