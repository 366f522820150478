"""Checks of the time at which something happens: what takes longer at Segment than here."""

from __future__ import annotations

from collections.abc import Iterator

from emulator.harness.checks.finding import NOTE, WORKSPACE, Finding, check
from emulator.segment import computation_of
from emulator.segment.conditions.compile import has_time_window
from emulator.workspace import REALTIME, Workspace


@check("D012", NOTE, "An audience that Segment computes every eight hours is computed with every call.", WORKSPACE)
def batch_computed_in_real_time(workspace: Workspace) -> Iterator[Finding]:
    """A note, since a test of the sync itself need not wait."""
    for index, audience in enumerate(workspace.audiences):
        if has_time_window(audience.condition) and computation_of(workspace, audience) == REALTIME:
            yield Finding(
                place=f"audiences[{index}]",
                message=f"The audience {audience.key!r} has a time window and is computed in real time.",
                why="Segment computes such an audience every eight hours: people enter and leave it later there.",
                fix="Add computation: batch to the audience, or timing: realistic to the workspace.",
            )
