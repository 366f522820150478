"""Overview: both services with their credentials, the pipeline with its losses, and the findings of the workspace."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from emulator.console.actions import Action
from emulator.console.control_api import ControlAPI, Refused
from emulator.console.examples import example_call
from emulator.console.screens.developer.reasons import reason_link
from emulator.console.screens.finding_fixes import Findings
from emulator.console.screens.screen import Screen, Values
from emulator.console.screens.workspace_parts import FIXES
from emulator.console.tables import Cell, Row, Table, rows_of
from emulator.console.view import View


def _values(api: ControlAPI, view: View) -> Values:
    sandbox = api.get(f"sandboxes/{view.sandbox}")
    workspace = api.get("workspace")["workspace"]
    funnel = api.get("funnel")
    return {
        "connection": sandbox,
        "credentials": [*_secrets("Write key", sandbox["writeKeys"]), *_secrets("Token", sandbox["tokens"])],
        "destinations": [(each.get("name"), each.get("generation")) for each in workspace.get("destinations", ())],
        "stages": [*_stages(funnel, view)],
        "imbalances": funnel["imbalances"],
        "example": example_call(view),
        "funnel_curl": view.curl("funnel"),
        "findings": _findings(api, view, workspace),
    }


def _secrets(kind: str, secrets: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    return ((f"{kind} of {name}", secret) for name, secret in secrets.items())


def _stages(funnel: Mapping[str, Any], view: View) -> Iterator[dict[str, Any]]:
    """The stages of the pipeline; each reason of a loss with the links that explain it and list what it stopped."""
    for stage in funnel["pipeline"]:
        # A call need not name a person.
        words, path = ("Which?", "debugger") if stage["counts"] == "calls" else ("Who?", "person")
        losses = [
            {
                **loss,
                "reasons": [
                    (each, reason_link(view, each["code"]), words, view.link(path, reason=each["code"]))
                    for each in loss["reasons"]
                ],
            }
            for loss in stage["losses"]
        ]
        yield {**stage, "losses": losses}


def _findings(api: ControlAPI, view: View, workspace: Mapping[str, Any]) -> Table:
    try:
        found = api.post("lint", {})["findings"]
    except Refused as refused:
        found = [refused.error]
    fixes = Findings(view=view, workspace=workspace, catalog=api.get("catalog")["destinations"])

    def row(item: Mapping[str, Any]) -> Row:
        said = [Cell(item.get(name)) for name in ("message", "why", "fix")]
        return Row([Cell(item.get("severity")), fixes.place(item), *said, fixes.fix(item)])

    return Table(
        caption="Findings of the workspace",
        columns=("Severity", "Place", "Finding", "Why", "What to do", "Do it"),
        rows=rows_of(found, row),
        empty="The workspace has no findings.",
    )


SCREEN = Screen(
    group="",
    name="Overview",
    path="",
    template="overview",
    values=_values,
    actions=(Action("reset", "POST", "/_emulator/reset"), *FIXES),
)
