"""The catalogue of an advertiser's profile properties: the built-in ones and those that mappings in force declare."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from emulator.stackadapt.ingestion.mappings import Mapping, active_profile_mappings
from emulator.stackadapt.rules.builtin_properties import BUILTIN_PROPERTIES
from emulator.stackadapt.rules.providers import source_of

GLOBAL = "GLOBAL"
UPLOADED = "USER_UPLOADED"
_IDENTITY = "external_id"
_RANKS = {column.destination_key: rank for rank, column in enumerate(BUILTIN_PROPERTIES)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileProperty:
    """A property; `connection_ids` are the mappings that fill it, `source` is GLOBAL for a built-in one."""

    key: str
    label: str
    data_type: str
    is_pii: bool
    source: str
    connection_ids: tuple[str, ...] = ()

    @property
    def rank(self) -> int:
        """Where the property stands in a list: built-in ones by their own order, the others after them, by key."""
        return _RANKS.get(self.key, len(_RANKS))


def property_catalogue(connection: Connection, advertiser_id: str, sources: Iterable[str]) -> list[ProfileProperty]:
    """Built-in properties first, then declared ones in the order in which mappings named them.

    A built-in property keeps its label, type and flag; of several declarations of another one the newest mapping's
    counts.
    """
    known = list(sources)
    catalogue = {
        column.destination_key: ProfileProperty(
            key=column.destination_key,
            label=column.label,
            data_type=column.data_type,
            is_pii=column.is_pii,
            source=GLOBAL,
        )
        for column in BUILTIN_PROPERTIES
    }
    for mapping in active_profile_mappings(connection, advertiser_id):
        _declare(catalogue, mapping, source_of(mapping.mappable_type or "", known) or UPLOADED)
    return list(catalogue.values())


def declared_types(connection: Connection, advertiser_id: str) -> dict[str, str]:
    """The type of every property by its key."""
    return {each.key: each.data_type for each in property_catalogue(connection, advertiser_id, ())}


def _declare(catalogue: dict[str, ProfileProperty], mapping: Mapping, source: str) -> None:
    for column in mapping.columns:
        key = column.destination_key
        if key == _IDENTITY:
            continue
        present = catalogue.get(key)
        ids = (*(present.connection_ids if present else ()), str(mapping.id))
        if present is not None and present.source == GLOBAL:
            catalogue[key] = replace(present, connection_ids=ids)
        else:
            catalogue[key] = ProfileProperty(
                key=key,
                label=column.label,
                data_type=column.data_type,
                is_pii=column.is_pii,
                source=source,
                connection_ids=ids,
            )
