"""The audiences of a space, compiled: each with its condition and its ways to destination instances.

They are computed in an order in which each comes after those that its condition asks for; a cycle is refused, as the
audience builder refuses it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from emulator.errors import WorkspaceError, nearest
from emulator.segment.conditions.compile import compile_condition
from emulator.segment.conditions.condition import Condition
from emulator.segment.engage.audience_events import Route
from emulator.segment.engage.routes import audience_routes
from emulator.workspace import Audience, Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Computation:
    """An audience, ready to be computed."""

    audience: Audience
    condition: Condition
    routes: tuple[Route, ...]


def computations(workspace: Workspace, integrations: Mapping[str, str]) -> tuple[Computation, ...]:
    """The audiences of a workspace in the order in which they are computed.

    Raises WorkspaceError for a condition that makes no sense, an unknown audience in one, or a cycle.
    """
    routes = list(audience_routes(workspace, integrations))
    compiled = {
        audience.key: Computation(
            audience=audience,
            condition=compile_condition(audience.condition, where=_place(audience.key)),
            routes=tuple(route for route in routes if route.key == audience.key),
        )
        for audience in workspace.audiences
    }
    for key, computation in compiled.items():
        check_audiences(computation.condition, compiled, where=_place(key))
    try:
        asked = {key: sorted(computation.condition.audiences) for key, computation in compiled.items()}
        return tuple(compiled[key] for key in TopologicalSorter(asked).static_order())
    except CycleError as error:
        circle: list[str] = error.args[1]
        raise WorkspaceError(
            "the audience would create a cycle by referencing another audience",
            where=_place(circle[-1]),
            found=" -> ".join(reversed(circle)),
        ) from None


def check_audiences(condition: Condition, known: Iterable[str], *, where: str) -> None:
    """Raises WorkspaceError when a condition asks for an audience that is not known."""
    names = list(known)
    for key in sorted(condition.audiences):
        if key not in names:
            raise WorkspaceError(
                "the condition asks for an unknown audience",
                where=where,
                found=key,
                allowed=", ".join(names) or "none is declared",
                hint=nearest(key, names),
            )


def _place(key: str) -> str:
    return f"audience {key!r}: condition"
