"""`explain`: one event step by step."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from emulator.clock import Clock
from emulator.errors import InputError
from emulator.harness.event_files import read_events
from emulator.harness.explain import Explanation
from emulator.harness.subscription_context import SubscriptionContext
from emulator.mapping import stringify
from emulator.server.explained import explained
from emulator.workspace import load_workspace
from emulator.workspace_file import used

_EPILOG = """\b
Examples:
  stackadapt-emulator explain event.json
  stackadapt-emulator explain --workspace workspace.yaml --destination "StackAdapt Acme" event.json
  stackadapt-emulator explain --subscription "Sync Audience" --trigger 'type = "track"' event.json
  echo '{"type":"identify","userId":"u1","traits":{}}' | stackadapt-emulator explain -
"""
_INDENT = "  "
_LONGEST_VALUE = 60


@click.command(epilog=_EPILOG)
@click.argument("event_path", metavar="EVENT")
@click.option("--workspace", "workspace_path", type=click.Path(path_type=Path), help="Workspace file (YAML or JSON).")
@click.option("--destination", help="Destination instance, by name (default: the first).")
@click.option("--subscription", help="Subscription, by name, enabled or not (default: every enabled one).")
@click.option("--trigger", metavar="FQL", help="Trigger to try in place of the saved one.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(
    event_path: str,
    workspace_path: Path | None,
    destination: str | None,
    subscription: str | None,
    trigger: str | None,
    as_json: bool,
) -> None:
    """Show how one event (a file, or - for standard input) is mapped, validated, sent and processed by StackAdapt.

    Prints what each destination filter does, each condition of the trigger with the value it found, each field with the
    directive behind it, the document, and the response of an otherwise empty StackAdapt with this workspace.
    """
    workspace = load_workspace(workspace_path)
    events = read_events(event_path)
    if len(events) != 1:
        raise InputError("invalid input", where=event_path, found=f"{len(events)} events", allowed="one event")
    with used(workspace_path):
        at = Clock().now()
        found = list(explained(events[0], workspace, destination, at, subscription=subscription, trigger=trigger))
    if as_json:
        # As JavaScript writes it: undefined members of a field's value are omitted.
        click.echo(stringify({"explanations": [asdict(explanation) for _, explanation in found]}))
        return
    for context, explanation in found:
        click.echo("\n".join(_lines(context, explanation)))


def _lines(context: SubscriptionContext, explanation: Explanation) -> Iterator[str]:
    yield f"{explanation.subscription} of {context.destination.name}, generation {context.definition.generation}"
    yield ""
    if explanation.filters:
        yield "Filters"
        for step in explanation.filters:
            yield f"{_INDENT}{step['action']}: {step['message']}"
            yield f"{_INDENT * 3}if {step['if']}"
        yield ""
    if explanation.stopped == "filter":
        yield f"Filtered at destination ({explanation.reason}): {explanation.message}"
        return
    yield f"Trigger     {explanation.trigger['text']}"
    if explanation.trigger["conditions"]:
        yield from _condition_lines(explanation.trigger["conditions"], 1)
    if explanation.fields:
        yield ""
        yield "Fields"
        for field in explanation.fields:
            yield f"{_INDENT}{field['field']} = {_shown(field['value'])}"
            yield from (f"{_INDENT * 3}{line}" for line in _origin(field["path"]).splitlines())
    yield ""
    if explanation.stopped:
        yield f"Stopped at the {explanation.stopped}: {explanation.message}"
        if explanation.hint:
            yield explanation.hint
        return
    yield "Validation  passed"
    yield from _request_lines(explanation)


def _condition_lines(node: Mapping[str, Any], depth: int) -> Iterator[str]:
    mark = "yes" if node["passed"] else "no "
    if "conditions" in node:
        yield f"{_INDENT * depth}{mark}  {'all of' if node['operator'] == 'and' else 'any of'}"
        for child in node["conditions"]:
            yield from _condition_lines(child, depth + 1)
    else:
        yield f"{_INDENT * depth}{mark}  {node['condition']}  (found {_shown(node['found'])})"


def _request_lines(explanation: Explanation) -> Iterator[str]:
    request, response = explanation.request or {}, explanation.response or {}
    yield ""
    yield f"Request     {request['method']} {request['url']}"
    for line in request["document"].splitlines():
        yield f"{_INDENT}{line}"
    yield ""
    yield f"StackAdapt  {response['status']} {json.dumps(response['body'], ensure_ascii=False)}"
    for record in explanation.records:
        yield f"{_INDENT}record {record['index'] + 1}: {_outcome(record)}"


def _outcome(record: Mapping[str, Any]) -> str:
    details = [str(record[key]) for key in ("reason", "message", "waitsFor") if record[key]]
    # A waiting record is neither due at a known time nor settled.
    when = [f"since {record['at']}"] if record["at"] else []
    due = [f"due {record['dueAt']}"] if record["outcome"] == "queued" else []
    return ", ".join([record["outcome"], *details, *when, *due])


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
