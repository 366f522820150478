"""A plan of many people: two workspaces, each in a process of its own, until their ends are compared."""

from __future__ import annotations

from time import perf_counter

from emulator.harness.plan import generated_people
from emulator.server.plan_runs import plan as planned
from emulator.workspace import built_in_workspace, parse_workspace
from emulator.workspace_document import document_of
from tests.bench.rows import Measured, Results
from tests.bench.scale import Scale

_TOTAL_SPENT = 4000


def plan(scale: Scale) -> Results:
    """Seconds from the call until the plan is there, with a change that loses some of the profiles."""
    old = built_in_workspace()
    document = document_of(old)
    document["audiences"][0]["condition"]["value"] = _TOTAL_SPENT
    started = perf_counter()
    found = planned(old, parse_workspace(document), generated_people(scale.plan_people, 1))
    elapsed = perf_counter() - started
    if not found.lost:
        raise RuntimeError("the change of the plan lost no profile")
    return {"plan": Measured(figures=[elapsed])}
