"""The catalogue of an advertiser's profile properties: the built-in ones and those that active mappings declare."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from emulator.stackadapt.ingestion.mappings import active_profile_mappings
from emulator.stackadapt.rules.mapping_columns import BUILTIN_PROPERTIES, EXTERNAL_ID, MappingColumn
from emulator.stackadapt.rules.providers import source_of

GLOBAL = "GLOBAL"
UPLOADED = "USER_UPLOADED"
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
        """The property's position in a list: built-in ones in their own order, then all others, to be sorted by key."""
        return _RANKS.get(self.key, len(_RANKS))


def property_catalogue(connection: Connection, advertiser_id: str, sources: Iterable[str]) -> list[ProfileProperty]:
    """Built-in properties, then declared ones in the order in which mappings declared them.

    A built-in property keeps its label, type and flag; for any other, the newest mapping's declaration applies.
    """
    known = list(sources)
    catalogue = {column.destination_key: _property(column, GLOBAL, ()) for column in BUILTIN_PROPERTIES}
    for mapping in active_profile_mappings(connection, advertiser_id):
        source = source_of(mapping.mappable_type or "", known) or UPLOADED
        for column in mapping.columns:
            key = column.destination_key
            if key == EXTERNAL_ID:
                continue
            present = catalogue.get(key)
            ids = (*(present.connection_ids if present else ()), str(mapping.id))
            if present is not None and present.source == GLOBAL:
                catalogue[key] = replace(present, connection_ids=ids)
            else:
                catalogue[key] = _property(column, source, ids)
    return list(catalogue.values())


def declared_types(connection: Connection, advertiser_id: str) -> dict[str, str]:
    """The declared type of every property by key."""
    return {each.key: each.data_type for each in property_catalogue(connection, advertiser_id, ())}


def _property(column: MappingColumn, source: str, connection_ids: tuple[str, ...]) -> ProfileProperty:
    return ProfileProperty(
        key=column.destination_key,
        label=column.label,
        data_type=column.data_type,
        is_pii=column.is_pii,
        source=source,
        connection_ids=connection_ids,
    )
