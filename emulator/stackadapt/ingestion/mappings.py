"""Stored mappings: which property each incoming key fills, and which keys hold an external audience's id and name.

A mapping is identified by advertiser, kind, mappable type (spelling ignored) and mappable id. What a mutation requests
is stored at once; it becomes active when its job is due.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, select, update

from emulator.stackadapt.ingestion.mapping_versions import add_version, newest_version
from emulator.stackadapt.rules.mapping_columns import MappingColumn, column_of
from emulator.stackadapt.rules.providers import provider_key
from emulator.stackadapt.rules.records import RecordMapping, record_mapping_of, status_brought_by
from emulator.stackadapt.tables import MAPPINGS, row_id
from emulator.stackadapt.upsert import insert_row

PROFILE = "profile"
AUDIENCE = "audience"

# The mappings for records of one provider, as JSON that a job can carry.
Schemas = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """A mapping. Columns, `is_opted_in` and `list_id` are those that the newest mutation requested."""

    id: int
    advertiser_id: str
    kind: str
    mappable_type: str | None
    mappable_id: str | None
    columns: tuple[MappingColumn, ...]
    is_opted_in: bool | None
    list_id: int | None


def mapping_by_id(connection: Connection, mapping_id: str, kind: str) -> Mapping | None:
    """The mapping with this id and kind."""
    query = select(MAPPINGS).where(MAPPINGS.c.id == row_id(mapping_id), MAPPINGS.c.kind == kind)
    row = connection.execute(query).one_or_none()
    return _mapping(row, row.requested_schema) if row else None


def find_or_create_mapping(
    connection: Connection, *, advertiser_id: str, kind: str, mappable_type: str | None, mappable_id: str | None
) -> Mapping:
    """The mapping with this identity. A new one has no columns and is not active."""
    identity = {
        "advertiser_id": advertiser_id,
        "kind": kind,
        "type_key": provider_key(mappable_type),
        "mappable_id": mappable_id or "",
    }
    query = select(MAPPINGS).where(*(MAPPINGS.c[name] == value for name, value in identity.items()))
    row = connection.execute(query).one_or_none()
    if row is None:
        insert_row(
            connection,
            MAPPINGS,
            **identity,
            mappable_type=mappable_type,
            mapping_schema=[],
            in_force=False,
            requested_schema=[],
        )
        row = connection.execute(query).one()
    return _mapping(row, row.requested_schema)


def request_schema(
    connection: Connection,
    mapping: Mapping,
    columns: Sequence[MappingColumn],
    *,
    is_opted_in: bool | None = None,
    list_id: int | None = None,
) -> dict[str, Any]:
    """Stores what a mutation requests and returns the instructions of the job that activates it."""
    schema = [column.as_dict() for column in columns]
    connection.execute(
        update(MAPPINGS)
        .where(MAPPINGS.c.id == mapping.id)
        .values(requested_schema=schema, requested_is_opted_in=is_opted_in, requested_list_id=list_id)
    )
    return {"mapping_schema": schema, "is_opted_in": is_opted_in, "list_id": list_id}


def activate(connection: Connection, mapping_id: int, instructions: dict[str, Any], now: int) -> None:
    """Makes active what `request_schema` stored."""
    connection.execute(update(MAPPINGS).where(MAPPINGS.c.id == mapping_id).values(**instructions, in_force=True))
    mapping = connection.execute(select(MAPPINGS).where(MAPPINGS.c.id == mapping_id)).one()
    keys = [column["incoming_key"] for column in mapping.mapping_schema]
    add_version(connection, mapping, keys, now)


def active_schemas(connection: Connection, advertiser_id: str, provider: str, mapping_id: int | None = None) -> Schemas:
    """The active mappings for records of a provider.

    `mapping_id` selects the profile mapping of one connection, for a provider that has several.
    """
    selected = () if mapping_id is None else (MAPPINGS.c.id == mapping_id,)
    profile = _newest(connection, advertiser_id, provider, PROFILE, MAPPINGS.c.in_force, *selected)
    audience = _newest(connection, advertiser_id, provider, AUDIENCE, MAPPINGS.c.in_force)
    return {
        "mapping_id": profile.id if profile else 0,
        "is_opted_in": profile.is_opted_in if profile else None,
        "list_id": profile.list_id if profile else None,
        "profile": profile.mapping_schema if profile else [],
        "audience": audience.mapping_schema if audience else None,
        "version": newest_version(connection),
    }


def requested_record_mapping(connection: Connection, advertiser_id: str, provider: str) -> RecordMapping:
    """The newest mappings that mutations requested for records of a provider, active or not, without a list."""
    profile = _newest(connection, advertiser_id, provider, PROFILE)
    audience = _newest(connection, advertiser_id, provider, AUDIENCE)
    return record_mapping_of(
        [column_of(stored) for stored in profile.requested_schema] if profile else (),
        [column_of(stored) for stored in audience.requested_schema] if audience else None,
        mapping_id=profile.id if profile else 0,
        status=status_brought_by(profile.requested_is_opted_in if profile else None),
    )


def schemas_of_upload(mapping_id: int, instructions: dict[str, Any], status: str | None) -> Schemas:
    """The mapping of an upload, from the instructions of `request_schema`, and the marketing status that it sets."""
    return {
        "mapping_id": mapping_id,
        "is_opted_in": None,
        "status": status,
        "list_id": instructions["list_id"],
        "profile": instructions["mapping_schema"],
        "audience": None,
        "control_keys": False,
    }


def record_mapping_of_schemas(schemas: Schemas) -> RecordMapping:
    """Mappings prepared for reading records."""
    audience = schemas["audience"]
    return record_mapping_of(
        [column_of(stored) for stored in schemas["profile"]],
        None if audience is None else [column_of(stored) for stored in audience],
        mapping_id=schemas["mapping_id"],
        status=schemas.get("status") or status_brought_by(schemas["is_opted_in"]),
        list_id=schemas["list_id"],
        control_keys=schemas.get("control_keys", True),
    )


def active_profile_mappings(connection: Connection, advertiser_id: str) -> list[Mapping]:
    """Every active profile mapping of an advertiser, oldest first, with its active columns.

    One that is damaged in the store declares nothing.
    """
    query = (
        select(MAPPINGS)
        .where(MAPPINGS.c.advertiser_id == advertiser_id, MAPPINGS.c.kind == PROFILE, MAPPINGS.c.in_force)
        .order_by(MAPPINGS.c.id)
    )
    return [found for row in connection.execute(query) if (found := _readable_mapping(row)) is not None]


def audience_keys(connection: Connection, advertiser_id: str) -> set[str]:
    """The incoming keys of an audience's id or name: those that work without a mapping, and those of every mapping."""
    query = select(MAPPINGS.c.requested_schema)
    own = (MAPPINGS.c.advertiser_id == advertiser_id, MAPPINGS.c.kind == AUDIENCE)
    schemas = connection.scalars(query.where(*own))
    return {"audienceId", "audienceName"} | {column["incoming_key"] for schema in schemas for column in schema}


def _newest(
    connection: Connection, advertiser_id: str, provider: str, kind: str, *conditions: ColumnElement[bool]
) -> Row[Any] | None:
    """The mapping without a mappable id if there is one, else the newest."""
    query = (
        select(MAPPINGS)
        .where(
            MAPPINGS.c.advertiser_id == advertiser_id,
            MAPPINGS.c.kind == kind,
            MAPPINGS.c.type_key == provider_key(provider),
            *conditions,
        )
        .order_by(MAPPINGS.c.mappable_id != "", MAPPINGS.c.id.desc())
        .limit(1)
    )
    return connection.execute(query).one_or_none()


def _readable_mapping(row: Row[Any]) -> Mapping | None:
    if not isinstance(row.mappable_type, str | None):
        return None
    try:
        return _mapping(row, row.mapping_schema)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _mapping(row: Row[Any], schema: list[dict[str, Any]]) -> Mapping:
    return Mapping(
        id=row.id,
        advertiser_id=row.advertiser_id,
        kind=row.kind,
        mappable_type=row.mappable_type,
        mappable_id=row.mappable_id or None,
        columns=tuple(map(column_of, schema)),
        is_opted_in=row.requested_is_opted_in,
        list_id=row.requested_list_id,
    )
