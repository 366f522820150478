"""Which audiences and journey steps a workspace connects to which destination instances."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from emulator.segment.engage.audience_events import AudienceRoute
from emulator.segment.engage.journey_events import StepRoute
from emulator.workspace import Workspace


def audience_routes(workspace: Workspace, integrations: Mapping[str, str]) -> Iterator[AudienceRoute]:
    """Every connected audience, by destination instance.

    `integrations` has the name by which the events of each destination instance are routed; others are left out.
    """
    for destination in workspace.destinations:
        for connection in destination.connections if destination.name in integrations else ():
            audience = workspace.audience(connection.audience_key)
            if audience is not None:
                yield AudienceRoute(
                    audience=audience,
                    connection=connection,
                    destination=destination.name,
                    integration=integrations[destination.name],
                    space=workspace.space,
                )


def step_routes(workspace: Workspace, integrations: Mapping[str, str]) -> Iterator[StepRoute]:
    """Every connected journey step, by destination instance."""
    for destination in workspace.destinations:
        for connection in destination.step_connections if destination.name in integrations else ():
            found = workspace.step(connection.step_key)
            if found is not None:
                journey, step = found
                yield StepRoute(
                    journey=journey,
                    step=step,
                    connection=connection,
                    destination=destination.name,
                    integration=integrations[destination.name],
                    space=workspace.space,
                )
