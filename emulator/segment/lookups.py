"""Names that a caller gives, checked against the workspace."""

from __future__ import annotations

from collections.abc import Iterator

from emulator.errors import NotFound, nearest
from emulator.workspace import Workspace


def check_audience(workspace: Workspace, key: str) -> None:
    """Raises NotFound for a key that no audience has, with the nearest one."""
    if workspace.audience(key) is None:
        known = [audience.key for audience in workspace.audiences]
        raise NotFound(
            "there is no such audience",
            where="audience",
            found=key,
            allowed=", ".join(known),
            hint=nearest(key, known),
        )


def check_connected(workspace: Workspace, key: str, destination: str | None) -> None:
    """Raises NotFound unless there is such an audience, connected to the destination instance if one is named."""
    check_audience(workspace, key)
    if destination is None:
        return
    check_destination(workspace, destination)
    connected = list(connected_destinations(workspace, key))
    if destination not in connected:
        raise NotFound(
            "the audience is not connected to this destination instance",
            where="destination",
            found=destination,
            allowed=", ".join(connected) or "it is connected to none",
        )


def check_destination(workspace: Workspace, name: str | None) -> None:
    """Raises NotFound when the workspace has no destination instance of this name, or none at all."""
    names = [destination.name for destination in workspace.destinations]
    if name not in names:
        raise NotFound(
            "there is no such destination instance",
            where="destination",
            found=name,
            allowed=", ".join(names) or "none is declared",
            hint=nearest(name or "", names),
        )


def connected_destinations(workspace: Workspace, key: str) -> Iterator[str]:
    """The names of the destination instances that the audience is connected to."""
    for destination in workspace.destinations:
        if any(connection.audience_key == key for connection in destination.connections):
            yield destination.name
