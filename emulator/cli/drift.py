"""`drift`: is the contract still the same?"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from emulator.addresses import address, shown
from emulator.cli.remote import allow_remote_option, client_of
from emulator.harness.drift import (
    BREAKING,
    CRITICALITIES,
    DANGEROUS,
    SAFE,
    Finding,
    compare_published,
    introspect,
    read_schema,
    schema_drift,
)
from emulator.stackadapt.graphql.schema import API_VERSIONS, LATEST

_EPILOG = """\b
Examples:
  stackadapt-emulator drift --schema schema.graphql --used-only
  stackadapt-emulator drift --url https://api.stackadapt.com/graphql --allow-remote
  stackadapt-emulator drift --destination ./my-app --json
\b
The token is read from STACKADAPT_API_TOKEN when --token is absent. It is never printed.
Exit code 1 when something breaking is shown.
"""
_COLOURS = {BREAKING: "red", DANGEROUS: "yellow", SAFE: "green"}


@click.command(epilog=_EPILOG)
@click.option("--schema", "schema_path", type=click.Path(path_type=Path), help="SDL, or an introspection as JSON.")
@click.option("--url", help="Endpoint to introspect.")
@click.option("--token", envvar="STACKADAPT_API_TOKEN", help="Token for the endpoint.")
@click.option("--destination", type=click.Path(path_type=Path), help="Folder with @segment/action-destinations.")
@click.option(
    "--api-version", type=click.Choice([*API_VERSIONS]), default=LATEST, show_default=True, help="Which contract."
)
@click.option("--used-only", is_flag=True, help="Only what the published destination uses of the schema.")
@allow_remote_option
@click.option("--json", "as_json", is_flag=True, help="Print the findings as one JSON object.")
def command(
    schema_path: Path | None,
    url: str | None,
    token: str | None,
    destination: Path | None,
    api_version: str,
    used_only: bool,
    as_json: bool,
) -> None:
    """Compare with the contract: a schema of StackAdapt, or an installed version of Segment's destination.

    Each change of a schema is breaking, dangerous or safe, with the parts of the destination that use what changed: its
    documents are written by the mapping engine and walked. An installed package is run on the cases of the nearest
    known version, needs Node, and reaches no network.
    """
    if sum(source is not None for source in (schema_path, url, destination)) != 1:
        raise click.UsageError("Give one of --schema, --url and --destination.")
    compared: dict[str, Any]
    if destination is not None:
        if used_only:
            raise click.UsageError("--used-only is for schemas: all of a destination is used.")
        published = compare_published(destination)
        compared = {"installed": published.version, "recorded": published.generation}
        findings: Sequence[Finding] = published.findings
    else:
        compared = {"contract": api_version, "schema": shown(address(url)) if url is not None else str(schema_path)}
        findings = schema_drift(_schema(schema_path, url, token), api_version)
    if used_only:
        findings = [finding for finding in findings if finding.used_by]
    counts = Counter(finding.criticality for finding in findings)
    if as_json:
        totals = {criticality: counts[criticality] for criticality in CRITICALITIES}
        printed = {**compared, **totals, "findings": [finding.as_dict() for finding in findings]}
        click.echo(json.dumps(printed, ensure_ascii=False))
    else:
        _show(compared, findings, counts)
    if counts[BREAKING]:
        raise SystemExit(1)


def _schema(path: Path | None, url: str | None, token: str | None) -> Any:
    if path is not None:
        return read_schema(path)
    assert url is not None  # noqa: S101 - the caller has made sure of one of them
    with client_of(url) as client:
        return introspect(client, url, token)


def _show(compared: dict[str, Any], findings: Sequence[Finding], counts: Counter[str]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    console.print(", ".join(f"{name} {value}" for name, value in compared.items()), markup=False)
    worst = [finding for finding in findings if finding.criticality != SAFE]
    if worst:
        table = Table("change", "used by the destination", show_lines=True)
        for finding in worst:
            what = f"[{_COLOURS[finding.criticality]}]{finding.criticality}[/] {_plain(finding.path)}"
            table.add_row(f"{what}\n{_plain(finding.message)}", _plain(_use(finding)))
        console.print(table)
    kinds = Counter(finding.kind for finding in findings if finding.criticality == SAFE)
    for kind, count in sorted(kinds.items()):
        console.print(f"safe: {count} {kind.lower().replace('_', ' ')}", markup=False)
    totals = ", ".join(f"{counts[criticality]} {criticality}" for criticality in CRITICALITIES)
    console.print(totals if findings else "no change", markup=False)


def _use(finding: Finding) -> str:
    return "\n".join([*finding.used_by, *([finding.breaks] if finding.breaks else [])]) or "no"


def _plain(text: str) -> str:
    """Text in which a bracket is a bracket."""
    return text.replace("[", r"\[")
