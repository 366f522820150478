"""Mutate: which mistakes in the workspace of the sandbox scenarios would not notice."""

from __future__ import annotations

import json

from emulator.console.actions import Action
from emulator.console.control_api import ControlAPI
from emulator.console.screens.finding_fixes import name_of
from emulator.console.screens.screen import Screen, Values
from emulator.console.view import View


def _values(api: ControlAPI, view: View) -> Values:
    from emulator.harness.mutate import KINDS  # one screen needs them

    destinations = api.get("workspace/destinations")["items"]
    enabled = {
        each["name"]: [one for one in each.get("subscriptions", ()) if one.get("enabled") is not False]
        for each in destinations
    }
    return {
        "kinds": KINDS,
        "scenarios": [each["name"] for each in api.get("scenarios")["scenarios"]],
        # With which an event is tried that reveals a change of the whole destination.
        "first_mappings": json.dumps({name: name_of(found[0]) for name, found in enabled.items() if found}),
    }


SCREEN = Screen(
    group="Developer",
    name="Mutate",
    path="mutate",
    template="developer/mutate",
    values=_values,
    actions=(Action("mutate", "POST", "/_emulator/mutate"),),
    script="mutate",
)
