"""`validate`: events, batches, mappings, workspaces and scenarios compared with the contracts."""

from __future__ import annotations

import json
from typing import Any

import click

from emulator.cli.findings import print_finding, totals
from emulator.cli.github import JobReport, job_report
from emulator.harness.checks import Checked, Summary, validate
from emulator.harness.checks.document_kinds import KINDS, kind_named
from emulator.harness.checks.finding import ERROR, UNREADABLE, WARNING
from emulator.text import counted_noun
from emulator.text_files import STANDARD_INPUT, place_of

_EPILOG = """\b
Examples:
  stackadapt-emulator validate events.jsonl
  stackadapt-emulator validate --as identify --strict call.json
  gunzip -c events.jsonl.gz | stackadapt-emulator validate --json -
\b
Exits 0 if there is no error, 1 if there is one (with --strict also on a
warning), 2 if a document cannot be read.
"""


@click.command(epilog=_EPILOG)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--as", "kind_name", metavar="KIND", help=f"Kind of the documents: {', '.join(k.name for k in KINDS)}.")
@click.option("--strict", is_flag=True, help="Exit 1 on a warning too.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as one JSON object.")
def command(files: tuple[str, ...], kind_name: str | None, strict: bool, as_json: bool) -> None:
    """Check documents against the contracts: JSON, JSON lines, YAML, also gzip; - is standard input.

    Tracking API calls, batches, audience events, mappings, destination instances, workspaces and scenarios are
    recognised by their content. An error violates the contract; a warning does not, but StackAdapt rejects the profile
    later.
    """
    summary = Summary()
    findings: list[dict[str, Any]] = []
    with job_report("validate") as report:
        for checked in validate(files, kind_named(kind_name) if kind_name else None):
            summary.add(checked)
            _report(checked, report)
            if as_json:
                findings += checked.as_dicts()
            else:
                kind = f" ({checked.kind.name})" if checked.kind else ""
                for finding in checked.findings:
                    print_finding(finding, where=f"{checked.document.where}{kind}: ")
        report.outcome = f"{counted_noun(summary.kinds.total(), 'document')}: {totals(summary.counts)}"
    counts, kinds = summary.counts, summary.kinds
    if as_json:
        click.echo(json.dumps({"summary": summary.as_dict(), "findings": findings}, ensure_ascii=False))
    else:
        listed = ", ".join(f"{number} {name}" for name, number in kinds.items())
        documents = f"{counted_noun(kinds.total(), 'document')}{f' ({listed})' if listed else ''}"
        click.echo(f"{documents}: {totals(counts)}")
    if counts[UNREADABLE]:
        raise SystemExit(2)
    if counts[ERROR] or (strict and counts[WARNING]):
        raise SystemExit(1)


def _report(checked: Checked, report: JobReport) -> None:
    document = checked.document
    if document.error is not None:
        report.add_error(document.error, line=document.line)
        return
    file = None if document.file == place_of(STANDARD_INPUT) else document.file
    inside = "" if document.index is None else f"[{document.index}]."
    for finding in checked.findings:
        line = document.line or report.line_of(file, f"{inside}{finding.place}")
        report.add_finding(finding, file=file, line=line)
