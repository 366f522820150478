"""What a workspace or destination instance says beyond its schema: what no emulator starts with, mappings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from emulator.errors import UserMistake
from emulator.harness.checks.document_finding import ERROR, Finding, of_mistake
from emulator.harness.startup_check import check_start
from emulator.schemas import Path, mistakes
from emulator.workspace import parse_workspace
from emulator.workspace_file import SCHEMA

MAPPING_SCHEMA = "segment/mapping.schema.json"


def of_workspace(document: Mapping[str, Any]) -> Iterator[Finding]:
    """What `serve` refuses of a workspace that fits its schema, and the mappings of its destination instances."""
    if not mistakes(document, SCHEMA):
        try:
            check_start(parse_workspace(document, where=""))
        except UserMistake as error:
            yield Finding(
                severity=ERROR,
                path=((error.where or "").removeprefix(": "),),
                message=error.message,
                found=error.found,
                allowed=error.allowed,
                fix=error.hint,
            )
    for index, instance in enumerate(_items(document, "destinations")):
        yield from _mappings(instance, ("destinations", index))


def of_destination_instance(document: Mapping[str, Any]) -> Iterator[Finding]:
    """The mappings of a destination instance."""
    return _mappings(document, ())


def _mappings(instance: object, under: Path) -> Iterator[Finding]:
    for index, subscription in enumerate(_items(instance, "subscriptions")):
        mapping = subscription.get("mapping") if isinstance(subscription, dict) else None
        if isinstance(mapping, dict):
            for mistake in mistakes(mapping, MAPPING_SCHEMA):
                yield of_mistake(mistake, under=(*under, "subscriptions", index, "mapping"))


def _items(document: object, key: str) -> list[Any]:
    items = document.get(key) if isinstance(document, dict) else None
    return items if isinstance(items, list) else []
