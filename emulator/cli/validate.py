"""`validate`: events, batches, mappings and workspaces held against the contracts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import click

from emulator.cli.wording import counted
from emulator.harness.checks.validate import ERROR, KINDS, WARNING, Checked, Finding, kind_named, validate

_EPILOG = """\b
Examples:
  stackadapt-emulator validate events.jsonl
  stackadapt-emulator validate --as identify --strict call.json
  gunzip -c events.jsonl.gz | stackadapt-emulator validate --json -
\b
Exits 0 when everything fits, 1 when something does not (with --strict also on a
warning), 2 when something cannot be read.
"""
_COLOURS = {ERROR: "red", WARNING: "yellow"}
_UNREADABLE = 2


@click.command(epilog=_EPILOG)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--as", "kind_name", metavar="KIND", help=f"What the documents are: {', '.join(k.name for k in KINDS)}.")
@click.option("--strict", is_flag=True, help="Exit 1 on a warning too.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as one JSON object.")
def command(files: tuple[str, ...], kind_name: str | None, strict: bool, as_json: bool) -> None:
    """Check events against the contracts: JSON, JSON lines, also gzip; - is standard input.

    Tracking API calls, batches and events of audiences are told apart by their content, and so are mappings,
    destination instances and workspaces (also YAML). An error does not fit; a warning fits, but StackAdapt refuses the
    person later.
    """
    tally: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    checked = _counted(validate(files, kind_named(kind_name) if kind_name else None), tally, kinds)
    if as_json:
        findings = [shown for each in checked for shown in _as_dicts(each)]
        summary = {"documents": tally.pop("documents"), "kinds": kinds, **tally}
        click.echo(json.dumps({"summary": summary, "findings": findings}, ensure_ascii=False))
    else:
        for each in checked:
            for line in _lines(each):
                click.echo(line)
        click.echo(_summary(tally, kinds))
    if tally["unreadable"]:
        raise SystemExit(_UNREADABLE)
    if tally["errors"] or (strict and tally["warnings"]):
        raise SystemExit(1)


def _counted(checked: Iterable[Checked], tally: Counter[str], kinds: Counter[str]) -> Iterator[Checked]:
    tally.update(documents=0, errors=0, warnings=0, unreadable=0)
    for each in checked:
        if each.document.error is not None:
            tally["unreadable"] += 1
        else:
            tally["documents"] += 1
            kinds[each.kind.name if each.kind else "unknown"] += 1
        tally.update(f"{finding.severity}s" for finding in each.findings)
        yield each


def _as_dicts(checked: Checked) -> Iterator[dict[str, Any]]:
    document = checked.document
    place = {"file": document.file, "line": document.line, "index": document.index}
    known = {key: value for key, value in place.items() if value is not None}
    if document.error is not None:
        yield {**known, "severity": "unreadable", "message": document.error.message, "found": document.error.found}
    kind = {"kind": checked.kind.name} if checked.kind else {}
    for finding in checked.findings:
        yield {**known, **kind, **finding.as_dict()}


def _lines(checked: Checked) -> Iterator[str]:
    if checked.document.error is not None:
        yield f"{click.style('unreadable', fg='red')} {checked.document.error}\n"
    kind = f" ({checked.kind.name})" if checked.kind else ""
    for finding in checked.findings:
        severity = click.style(finding.severity, fg=_COLOURS[finding.severity])
        reason = f" {finding.reason}" if finding.reason else ""
        yield f"{severity}{reason} {checked.document.where}{kind}: {finding.place}"
        yield from _details(finding)


def _details(finding: Finding) -> Iterator[str]:
    yield f"  {finding.message[:1].upper()}{finding.message[1:]}"
    if finding.found is not None:
        yield f"  Found: {json.dumps(finding.found, ensure_ascii=False)}"
    for title, text in (("Allowed", finding.allowed), ("Why", finding.why), ("Mend", finding.fix)):
        if text:
            yield f"  {title}: {text}"
    yield ""


def _summary(tally: Counter[str], kinds: Counter[str]) -> str:
    what = ", ".join(f"{number} {name}" for name, number in kinds.items())
    unreadable = f", {tally['unreadable']} unreadable" if tally["unreadable"] else ""
    found = f"{counted(tally['errors'], 'error')}, {counted(tally['warnings'], 'warning')}{unreadable}"
    return f"{counted(tally['documents'], 'document')}{f' ({what})' if what else ''}: {found}"
