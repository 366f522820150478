"""`drift`: compares the StackAdapt schema or an installed destination with the contract."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from graphql import GraphQLSchema
from rich.markup import escape
from rich.table import Table

from emulator.addresses import address, shown
from emulator.cli.github import JobReport, job_report
from emulator.cli.remote import allow_remote_option, client_of
from emulator.cli.terminal import Terminal
from emulator.harness.checks.finding import BREAKING, CHANGES, DANGEROUS, SAFE, Finding
from emulator.harness.drift import compare_published, introspect, line_in, read_schema, schema_drift
from emulator.stackadapt.graphql.schema import API_VERSIONS, LATEST

_EPILOG = """\b
Examples:
  stackadapt-emulator drift --schema schema.graphql --used-only
  stackadapt-emulator drift --url https://api.stackadapt.com/graphql --allow-remote
  stackadapt-emulator drift --destination ./my-app --json
\b
Without --token, the token is read from STACKADAPT_API_TOKEN. It is never printed.
Exits 1 if a breaking change is printed.
"""
_COLOURS = {BREAKING: "red", DANGEROUS: "yellow", SAFE: "green"}


@click.command(epilog=_EPILOG)
@click.option("--schema", "schema_path", type=click.Path(path_type=Path), help="SDL, or an introspection as JSON.")
@click.option("--url", help="Endpoint to introspect.")
@click.option("--token", envvar="STACKADAPT_API_TOKEN", help="Token for the endpoint.")
@click.option("--destination", type=click.Path(path_type=Path), help="Folder with @segment/action-destinations.")
@click.option(
    "--api-version",
    type=click.Choice([*API_VERSIONS]),
    default=LATEST,
    show_default=True,
    help="API version of the contract.",
)
@click.option("--used-only", is_flag=True, help="Only changes of what the published destination uses.")
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
    """Compare the StackAdapt schema or an installed destination with the contract.

    Each schema change is breaking, dangerous or safe, and lists the parts of the destination that use what changed,
    according to the documents that the mapping engine writes. An installed package runs the cases of the nearest known
    version; this needs Node and sends nothing over the network.
    """
    if sum(source is not None for source in (schema_path, url, destination)) != 1:
        raise click.UsageError("Give one of --schema, --url and --destination.")
    if destination is not None and used_only:
        raise click.UsageError("--used-only cannot be combined with --destination.")
    with job_report("drift") as job:
        if destination is not None:
            published = compare_published(destination)
            compared = {"installed": published.version, "recorded": published.generation}
            findings: Sequence[Finding] = published.findings
            _annotate(job, findings, None, None)
        else:
            place, schema = _schema(schema_path, url, token)
            compared = {"contract": api_version, "schema": place}
            findings = schema_drift(schema, api_version)
            if used_only:
                findings = [finding for finding in findings if finding.used_by]
            _annotate(job, findings, schema_path, schema)
    counts = Counter(finding.severity for finding in findings)
    if as_json:
        totals = {severity: counts[severity] for severity in CHANGES}
        printed = {**compared, **totals, "findings": [finding.as_dict() for finding in findings]}
        click.echo(json.dumps(printed, ensure_ascii=False))
    else:
        _print(compared, findings)
    if counts[BREAKING]:
        raise SystemExit(1)


def _schema(path: Path | None, url: str | None, token: str | None) -> tuple[str, GraphQLSchema]:
    """The schema to compare, and how it is named."""
    if url is None:
        return str(path), read_schema(Path(str(path)))
    with client_of(url) as client:
        return shown(address(url)), introspect(client, url, token)


def _annotate(job: JobReport, findings: Sequence[Finding], path: Path | None, schema: GraphQLSchema | None) -> None:
    job.outcome = _totals(findings)
    for finding in findings:
        line = None if schema is None else line_in(schema, finding.place)
        job.add_finding(finding, file=None if path is None else str(path), line=line)


def _totals(findings: Sequence[Finding]) -> str:
    counts = Counter(finding.severity for finding in findings)
    return ", ".join(f"{counts[severity]} {severity}" for severity in CHANGES) if findings else "no change"


def _print(compared: Mapping[str, Any], findings: Sequence[Finding]) -> None:
    console = Terminal(highlight=False, soft_wrap=True)
    console.print(", ".join(f"{name} {value}" for name, value in compared.items()), markup=False)
    unsafe = [finding for finding in findings if finding.severity != SAFE]
    if unsafe:
        table = Table("change", "used by the destination", show_lines=True)
        for finding in unsafe:
            change = f"[{_COLOURS[finding.severity]}]{finding.severity}[/] {escape(finding.place)}"
            impact = "\n".join(filter(None, (*(finding.used_by or ()), finding.why))) or "no"
            table.add_row(f"{change}\n{escape(finding.message)}", escape(impact))
        console.print(table)
    codes = Counter(finding.code for finding in findings if finding.severity == SAFE)
    for code, count in sorted(codes.items()):
        console.print(f"safe: {count} {code.lower().replace('_', ' ')}", markup=False)
    console.print(_totals(findings), markup=False)
