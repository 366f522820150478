"""Checks what an upgrade of the destination does to a workspace: every side over the same events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import pairwise

from emulator.errors import InputError
from emulator.harness.plan import CallsOf
from emulator.harness.upgrade.compared_runs import upgrade_between
from emulator.harness.upgrade.event_batches import deletion_batches, event_batches
from emulator.harness.upgrade.side_runs import SideRun, run_side
from emulator.harness.upgrade.sides import Generation, first_side, upgraded
from emulator.harness.upgrade.upgrade_findings import UpgradeCheck
from emulator.harness.why import OpenTrial
from emulator.workspace import Workspace

SAVED, NEW = "saved", "new"


def upgrade_check(
    workspace: Workspace,
    generations: Sequence[Generation],
    population: CallsOf,
    open_trial: OpenTrial,
    *,
    source: str | None = None,
    mappings: str = SAVED,
    further: timedelta = timedelta(days=1),
    report: Callable[[int], object] = lambda _: None,
) -> UpgradeCheck:
    """Checks the upgrades from `source`, by default what the workspace has, to each generation, one after another.

    `mappings` is `saved` or `new`. Raises WorkspaceError for a workspace that `source` does not fit, InputError where
    nothing can be compared.
    """
    before = first_side(workspace, source)
    batches = event_batches(before, population, open_trial, further=further, report=report)
    sides = [before, *(upgraded(before, each, new_mappings=mappings == NEW) for each in generations)]
    deletions = deletion_batches(before, batches)
    runs: list[SideRun] = []
    for side in sides:
        last = runs[-1] if runs else None
        runs.append(run_side(side, batches, deletions, population.at, open_trial, before=last))
    _check_first(runs[0])
    return UpgradeCheck(
        people=population.text,
        calls=population.calls,
        events=sum(len(batch.events) for batch in batches),
        deletions=len(deletions),
        mappings=mappings,
        upgrades=[upgrade_between(old, new, population) for old, new in pairwise(runs)],
    )


def _check_first(run: SideRun) -> None:
    problems: list[str] = []
    for sent in run.sent:
        for index in range(len(sent.batch.events)):
            if sent.arrived(index):
                return
            problems += filter(None, [sent.problem(index)])
    raise InputError(
        f"nothing of this workspace gets to StackAdapt before the upgrade, so that there is nothing to compare: "
        f"{problems[0] if problems else 'no trigger takes an event'}",
        where=f"generation {run.side.name}",
        hint="Give a workspace with the settings and mappings of that generation, other events, or another FROM.",
    )
