"""Plan: what another workspace, or another version, would do to the profiles of the sandbox."""

from __future__ import annotations

from emulator.console.actions import Action
from emulator.console.control_api import ControlAPI
from emulator.console.screens.screen import Screen, Values
from emulator.console.view import View


def _values(api: ControlAPI, view: View) -> Values:
    found = api.get("catalog")["destinations"]
    revealed = bool(view.get("reveal")) and not view.masked
    return {
        "generations": [each["generation"] for each in found],
        "api_versions": sorted({version for each in found for version in each["apiVersions"]}),
        # In full: masked tokens would be the same one twice, which no workspace has.
        "text": api.response("workspace", format="yaml").get_data(as_text=True) if revealed else "",
        "revealed": revealed,
    }


SCREEN = Screen(
    group="Developer",
    name="Plan",
    path="plan",
    template="developer/plan",
    values=_values,
    actions=(Action("plan", "POST", "/_emulator/plan"),),
)
