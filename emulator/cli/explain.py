"""`explain`: what becomes of one event, step by step."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from emulator.errors import InputError
from emulator.harness.event_files import read_events
from emulator.harness.explain import Walk, explain
from emulator.harness.subscription_context import SubscriptionContext, subjects_of
from emulator.mapping import stringify
from emulator.server.emulator import Emulator
from emulator.transport import HttpTransport
from emulator.workspace import load_workspace
from emulator.workspace_file import used

_EPILOG = """\b
Examples:
  stackadapt-emulator explain event.json
  stackadapt-emulator explain --workspace workspace.yaml --destination "StackAdapt Acme" event.json
  echo '{"type":"identify","userId":"u1","traits":{}}' | stackadapt-emulator explain -
"""
_INDENT = "  "
_LONGEST_VALUE = 60


@click.command(epilog=_EPILOG)
@click.argument("event_path", metavar="EVENT")
@click.option("--workspace", "workspace_path", type=click.Path(path_type=Path), help="Workspace file (YAML or JSON).")
@click.option("--destination", help="Name of the destination instance; the workspace's first when absent.")
@click.option("--json", "as_json", is_flag=True, help="Print the walk as one JSON object.")
def command(event_path: str, workspace_path: Path | None, destination: str | None, as_json: bool) -> None:
    """Walk one event (a file, or - for standard input) through trigger, mapping, validation and StackAdapt.

    Each condition is shown with the value it found, each field with the directive that produced it, the document as it
    would be sent, and what a StackAdapt with this workspace, and nothing else in it, does with it.
    """
    workspace = load_workspace(workspace_path)
    events = read_events(event_path)
    if len(events) != 1:
        raise InputError("explain walks one event", where=event_path, found=f"{len(events)} events")
    walks = []
    with used(workspace_path):
        for subject in subjects_of(workspace, destination):
            with Emulator(workspace) as emulator:
                transport = HttpTransport("http://127.0.0.1/graphql", app=emulator.app)
                walks.append((subject, explain(events[0], subject, emulator.stackadapt, transport)))
                transport.close()
    if as_json:
        # JSON as JavaScript writes it: a member without a value, inside a field's value, is left out.
        click.echo(stringify({"walks": [walk.as_dict() for _, walk in walks]}))
        return
    for subject, walk in walks:
        click.echo("\n".join(_lines(subject, walk)))


def _lines(subject: SubscriptionContext, walk: Walk) -> Iterator[str]:
    yield f"{walk.subscription} of {subject.destination.name}, generation {subject.definition.generation}"
    yield ""
    yield f"Trigger     {walk.trigger}"
    if walk.conditions:
        yield from _condition_lines(walk.conditions, 1)
    if walk.fields:
        yield ""
        yield "Fields"
        for field in walk.fields:
            yield f"{_INDENT}{field['field']} = {_shown(field['value'])}"
            yield from (f"{_INDENT * 3}{line}" for line in _origin(field["path"]).splitlines())
    yield ""
    if walk.stopped:
        yield f"Stopped at the {walk.stopped}: {walk.message}"
        if walk.hint:
            yield walk.hint
        return
    yield "Validation  passed"
    yield from _request_lines(walk)


def _condition_lines(node: Mapping[str, Any], depth: int) -> Iterator[str]:
    mark = "yes" if node["passed"] else "no "
    if "conditions" in node:
        yield f"{_INDENT * depth}{mark}  {'all of' if node['operator'] == 'and' else 'any of'}"
        for child in node["conditions"]:
            yield from _condition_lines(child, depth + 1)
    else:
        yield f"{_INDENT * depth}{mark}  {node['condition']}  (found {_shown(node['found'])})"


def _request_lines(walk: Walk) -> Iterator[str]:
    request, answer = walk.request or {}, walk.answer or {}
    yield ""
    yield f"Request     {request['method']} {request['url']}"
    for line in request["document"].splitlines():
        yield f"{_INDENT}{line}"
    yield ""
    yield f"StackAdapt  {answer['status']} {json.dumps(answer['body'], ensure_ascii=False)}"
    for record in walk.records:
        yield f"{_INDENT}record {record['index'] + 1}: {_fate(record)}"


def _fate(record: Mapping[str, Any]) -> str:
    details = [str(record[key]) for key in ("reason", "message", "waitsFor") if record[key]]
    when = f"since {record['at']}" if record["at"] else f"due {record['dueAt']}"
    return ", ".join([record["outcome"], *details, when])


def _origin(step: Mapping[str, Any]) -> str:
    if step.get("error"):
        return f"{step['directive']} failed: {step['error']}"
    children = step.get("steps", ())
    if step["directive"] == "@if":
        parts = {child["role"]: child for child in children}
        test = next((f"{role} {_origin(parts[role])}" for role in ("exists", "blank") if role in parts), "")
        taken = next((f"{role}: {_origin(parts[role])}" for role in ("then", "else") if role in parts), "nothing")
        return f"@if {test} → {taken}"
    if step["directive"] is None:
        return "\n".join(f"{child['role']}: {_origin(child)}" for child in children) or "fixed value"
    if "options" in step:
        options = step["options"]
        return f"{step['directive']} {options if isinstance(options, str) else _shown(options)}"
    return f"{step['directive']} ({', '.join(_origin(child) for child in children)})"


def _shown(value: Any) -> str:
    if value == {"undefined": True}:
        return "nothing"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"
