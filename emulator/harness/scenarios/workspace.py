"""The workspace of a scenario: the default workspace with the changes in its `given`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.artefacts import fixture
from emulator.errors import WorkspaceError
from emulator.harness.scenarios.model import Document
from emulator.workspace_file import read


def workspace_of(given: Document, *, where: str = "given") -> dict[str, Any]:
    """The JSON form of the workspace that `given` describes, not validated yet.

    Raises WorkspaceError, at `where`, when the part to change does not exist.
    """
    workspace: dict[str, Any] = merged(read(fixture("workspace.yaml")), given.get("workspace", {}))
    if "latency" in given:
        workspace = merged(workspace, {"ingestion": {"latency": given["latency"]}})
    changes = {name: given[name] for name in ("destination", "audience", "subscription") if name in given}
    if not changes:
        return workspace
    destinations = _items(workspace, "destinations", where=f"{where}: ", what="destination instance")
    first = merged(destinations[0], changes.get("destination", {}))
    for name, place in (("audience", "audiences"), ("subscription", "subscriptions")):
        if name in changes:
            head, *rest = _items(first, place, where=f"{where}: destinations[0].", what=name)
            first[place] = [merged(head, changes[name]), *rest]
    return {**workspace, "destinations": [first, *destinations[1:]]}


def _items(document: Any, name: str, *, where: str, what: str) -> list[Any]:
    items = document.get(name) if isinstance(document, Mapping) else None
    if not isinstance(items, list) or not items:
        raise WorkspaceError(f"no {what} to change", where=f"{where}{name}")
    return items


def merged(document: Any, patch: Any) -> Any:
    """A JSON Merge Patch (RFC 7396): objects are merged, null removes a field, anything else replaces."""
    if not isinstance(patch, Mapping):
        return patch
    result = dict(document) if isinstance(document, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result
