"""The audiences of a space, compiled, in the order in which they are computed: each after those it refers to.

A cycle is refused, as in the audience builder.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from emulator.errors import WorkspaceError, unknown
from emulator.segment.conditions.compile import compile_condition, has_time_window
from emulator.segment.conditions.condition import Condition
from emulator.segment.engage.emitted_events import EmittingRoute
from emulator.segment.engage.history import AudienceStarts
from emulator.segment.engage.routes import audience_routes
from emulator.workspace import BATCH, REALISTIC, REALTIME, Audience, Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Computation:
    """A compiled audience."""

    audience: Audience
    condition: Condition
    routes: tuple[EmittingRoute, ...]


def computations(
    workspace: Workspace, integrations: Mapping[str, str], starts: AudienceStarts
) -> tuple[Computation, ...]:
    """The audiences of a workspace in the order in which they are computed.

    Raises WorkspaceError for an invalid condition, an unknown audience in one, or a cycle.
    """
    routes = list(audience_routes(workspace, integrations))
    compiled = {
        audience.key: Computation(
            audience=audience,
            condition=starts.limited(compile_condition(audience.condition, where=_place(audience.key)), audience),
            routes=tuple(EmittingRoute.of(route) for route in routes if route.key == audience.key),
        )
        for audience in workspace.audiences
    }
    for key, computation in compiled.items():
        check_audiences(computation.condition, compiled, where=_place(key))
    try:
        needed = {key: sorted(computation.condition.audiences) for key, computation in compiled.items()}
        return tuple(compiled[key] for key in TopologicalSorter(needed).static_order())
    except CycleError as error:
        cycle: list[str] = error.args[1]
        raise WorkspaceError(
            "the audience would create a cycle by referencing another audience",
            where=_place(cycle[-1]),
            found=" -> ".join(reversed(cycle)),
        ) from None


def computation_of(workspace: Workspace, audience: Audience) -> str:
    """How an audience is computed, `realtime` or `batch`: its own setting, or else what the workspace's timing says."""
    if audience.computation is not None:
        return audience.computation
    return BATCH if workspace.timing == REALISTIC and has_time_window(audience.condition) else REALTIME


def check_audiences(condition: Condition, known: Collection[str], *, where: str) -> None:
    """Raises WorkspaceError when a condition refers to an audience that is not among the known ones."""
    for key in sorted(condition.audiences.difference(known)):
        raise WorkspaceError.at(where, unknown("audience", key, known))


def _place(key: str) -> str:
    return f"audience {key!r}: condition"
