"""The settings that the ledger names, and the values that each can have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from emulator.artefacts import contract_json
from emulator.harness.ledger import behaviours
from emulator.stackadapt.graphql.schema import API_VERSIONS

API_VERSION: Final = "apiVersion"
# Rows that have no setting of their own: another API version is what they differ by.
_OF_THE_SCHEMA: Final = ("schema.2026-06",)
# Read off what was seen, since they have any number of values.
_MEASURED: Final[Mapping[str, str]] = MappingProxyType(
    {"ingestion.asynchronous": "ingestion.latency", "rate-limit.off-by-default": "rateLimit"}
)


def setting_of(row: str) -> str | None:
    """The setting that changes the behaviour of a row, if a workspace has one."""
    if row in _OF_THE_SCHEMA:
        return API_VERSION
    if row in _MEASURED:
        return _MEASURED[row]
    return next((name for name in _settings().get(row, ()) if _values(name)), None)


def values_of(setting: str) -> tuple[Any, ...]:
    """Its values, the default first; empty for one that is measured."""
    return () if setting in _MEASURED.values() else _values(setting)


def with_value(workspace: Mapping[str, Any], setting: str, value: Any) -> dict[str, Any]:
    """The JSON form of a workspace with a setting changed."""
    section, _, name = setting.partition(".")
    if not name:
        return {**workspace, section: value}
    return {**workspace, section: {**workspace.get(section, {}), name: value}}


@cache
def _settings() -> Mapping[str, tuple[str, ...]]:
    return {row.id: row.settings for row in behaviours()}


@cache
def _values(setting: str) -> tuple[Any, ...]:
    if setting == API_VERSION:
        return tuple(sorted(API_VERSIONS, reverse=True))
    return tuple(_written(setting))


def _written(setting: str) -> Iterator[Any]:
    """The values in the schema of a workspace; none for a setting that takes any."""
    schema = contract_json("workspace.schema.json")
    section, _, name = setting.partition(".")
    found = schema["$defs"].get(section, {}).get("properties", {}).get(name, {})
    every = [False, True] if found.get("type") == "boolean" else found.get("enum", [])
    default = found.get("default", next(iter(every), None))
    yield from (value for value in every if value == default)
    yield from (value for value in every if value != default)
