"""Plans of changes to the default workspace."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from emulator.harness.plan import (
    CallsOf,
    Plan,
    generated_people,
)
from emulator.server.plan_runs import plan
from emulator.workspace import load_workspace, parse_workspace
from emulator.workspace_document import document_of

BUILT_IN = document_of(load_workspace())
PEOPLE = generated_people(40, 1)
Change = Callable[[dict[str, Any]], object]


def planned(change: Change, *, before: Change = lambda _: None, population: CallsOf = PEOPLE) -> Plan:
    """The plan of a change, run in this process."""
    old = copy.deepcopy(BUILT_IN)
    before(old)
    new = copy.deepcopy(old)
    change(new)
    return plan(parse_workspace(old), parse_workspace(new), population, further=timedelta(hours=1))


def mapping(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["destinations"][0]["subscriptions"][0]["mapping"]
    return found


def connection(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["destinations"][0]["audiences"][0]
    return found


def narrow(document: dict[str, Any]) -> None:
    document["audiences"][0]["condition"]["value"] = 3000


def other_consent(document: dict[str, Any]) -> None:
    mapping(document)["marketing_status"] = "Indeterminate"


def second_audience(document: dict[str, Any]) -> None:
    added = {**document["audiences"][0], "key": "everyone", "id": "aud_all", "name": "Everyone"}
    document["audiences"].append({**added, "condition": {"trait": "email", "operator": "exists"}})
    document["destinations"][0]["audiences"].append({**connection(document), "key": "everyone"})


def everyone(document: dict[str, Any]) -> None:
    document["audiences"][0]["condition"] = {"trait": "email", "operator": "exists"}
