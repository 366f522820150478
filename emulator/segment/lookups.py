"""Names that callers pass in, checked against the workspace."""

from __future__ import annotations

from collections.abc import Iterator

from emulator.errors import NotFound, unknown
from emulator.workspace import Workspace


def check_audience(workspace: Workspace, key: str) -> None:
    """Raises NotFound for a key that no audience has."""
    if workspace.audience(key) is None:
        keys = [audience.key for audience in workspace.audiences]
        raise unknown("audience", key, keys, where="audience", error=NotFound)


def check_connected(workspace: Workspace, key: str, destination: str | None) -> None:
    """Raises NotFound for an unknown audience, and for a destination instance that it is not connected to."""
    check_audience(workspace, key)
    if destination is None:
        return
    check_destination(workspace, destination)
    connected = list(connected_destinations(workspace, key))
    if destination not in connected:
        raise NotFound(
            f"audience {key!r} is not connected to this destination instance",
            where="destination",
            found=destination,
            allowed=", ".join(connected) or "none",
        )


def check_destination(workspace: Workspace, name: str | None) -> None:
    """Raises NotFound for a name that no destination instance has."""
    names = [destination.name for destination in workspace.destinations]
    if name not in names:
        raise unknown("destination instance", name, names, where="destination", error=NotFound)


def step_position(workspace: Workspace, journey_id: str, step_key: str) -> int:
    """The position of a step in a journey, from 0. Raises NotFound for an unknown journey, or one without the step."""
    journey = next((each for each in workspace.journeys if each.id == journey_id), None)
    if journey is None:
        ids = [each.id for each in workspace.journeys]
        raise unknown("journey", journey_id, ids, where="journey", error=NotFound)
    keys = [step.key for step in journey.steps]
    if step_key not in keys:
        raise unknown("step", step_key, keys, where="step", error=NotFound)
    return keys.index(step_key)


def connected_destinations(workspace: Workspace, key: str) -> Iterator[str]:
    """The names of the destination instances that the audience is connected to."""
    for destination in workspace.destinations:
        if any(connection.audience_key == key for connection in destination.connections):
            yield destination.name
