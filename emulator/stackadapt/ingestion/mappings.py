"""Stored mappings: how incoming keys become properties, and where an external audience's id and name stand.

A mapping is identified by advertiser, kind, mappable type (spelling ignored) and mappable id. What a mutation asks for
is kept at once; it comes into force when its job is due.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, insert, select, true, update

from emulator.stackadapt.rules.mapping_columns import MappingColumn, column_of
from emulator.stackadapt.rules.marketing import brought_by
from emulator.stackadapt.rules.providers import provider_key
from emulator.stackadapt.rules.records import RecordMapping, record_mapping_of
from emulator.stackadapt.tables import MAPPINGS

PROFILE = "profile"
AUDIENCE = "audience"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """A mapping as the newest mutation asked for it."""

    id: int
    advertiser_id: str
    kind: str
    mappable_type: str | None
    mappable_id: str | None
    columns: tuple[MappingColumn, ...]
    is_opted_in: bool | None
    list_id: int | None


def find_mapping(
    connection: Connection, *, advertiser_id: str, kind: str, mappable_type: str | None, mappable_id: str | None
) -> Mapping | None:
    """The mapping with this identity."""
    row = connection.execute(
        select(MAPPINGS).where(
            MAPPINGS.c.advertiser_id == advertiser_id,
            MAPPINGS.c.kind == kind,
            MAPPINGS.c.type_key == provider_key(mappable_type),
            MAPPINGS.c.mappable_id == (mappable_id or ""),
        )
    ).one_or_none()
    return _mapping(row) if row else None


def mapping_by_id(connection: Connection, mapping_id: str, kind: str) -> Mapping | None:
    """The mapping with this id and kind."""
    if not (mapping_id.isascii() and mapping_id.isdigit() and len(mapping_id) < 10):
        return None
    query = select(MAPPINGS).where(MAPPINGS.c.id == int(mapping_id), MAPPINGS.c.kind == kind)
    row = connection.execute(query).one_or_none()
    return _mapping(row) if row else None


def create_mapping(
    connection: Connection, *, advertiser_id: str, kind: str, mappable_type: str | None, mappable_id: str | None
) -> Mapping:
    """A new mapping without columns, not in force yet."""
    connection.execute(
        insert(MAPPINGS).values(
            advertiser_id=advertiser_id,
            kind=kind,
            type_key=provider_key(mappable_type),
            mappable_id=mappable_id or "",
            mappable_type=mappable_type,
            mapping_schema=[],
            in_force=False,
            requested_schema=[],
        )
    )
    created = find_mapping(
        connection, advertiser_id=advertiser_id, kind=kind, mappable_type=mappable_type, mappable_id=mappable_id
    )
    assert created is not None  # noqa: S101 - inserted above, in the same transaction
    return created


def request_schema(
    connection: Connection,
    mapping: Mapping,
    columns: Sequence[MappingColumn],
    *,
    is_opted_in: bool | None = None,
    list_id: int | None = None,
) -> dict[str, Any]:
    """Remembers what a mutation asks for and returns the instructions of the job that brings it into force."""
    schema = [column.as_dict() for column in columns]
    connection.execute(
        update(MAPPINGS)
        .where(MAPPINGS.c.id == mapping.id)
        .values(requested_schema=schema, requested_is_opted_in=is_opted_in, requested_list_id=list_id)
    )
    return {"mapping_schema": schema, "is_opted_in": is_opted_in, "list_id": list_id}


def activate(connection: Connection, mapping_id: int, instructions: dict[str, Any]) -> None:
    """Applies what `request_schema` remembered."""
    connection.execute(update(MAPPINGS).where(MAPPINGS.c.id == mapping_id).values(**instructions, in_force=True))


def active_schemas(
    connection: Connection, advertiser_id: str, provider: str, mapping_id: int | None = None
) -> dict[str, Any]:
    """The mappings in force for records of a provider, in the JSON form that a job can carry.

    `mapping_id` names the profile mapping of one connection, for a provider that has several.
    """
    named = true() if mapping_id is None else MAPPINGS.c.id == mapping_id
    profile = _newest(connection, advertiser_id, provider, PROFILE, and_(MAPPINGS.c.in_force, named))
    audience = _newest(connection, advertiser_id, provider, AUDIENCE, MAPPINGS.c.in_force)
    return {
        "mapping_id": profile.id if profile else 0,
        "is_opted_in": profile.is_opted_in if profile else None,
        "list_id": profile.list_id if profile else None,
        "profile": profile.mapping_schema if profile else [],
        "audience": audience.mapping_schema if audience else None,
    }


def requested_schemas(connection: Connection, advertiser_id: str, provider: str) -> dict[str, Any]:
    """The same of the mappings that mutations have asked for, in force or not."""
    profile = _newest(connection, advertiser_id, provider, PROFILE, true())
    audience = _newest(connection, advertiser_id, provider, AUDIENCE, true())
    return {
        "mapping_id": profile.id if profile else 0,
        "is_opted_in": profile.requested_is_opted_in if profile else None,
        "list_id": profile.requested_list_id if profile else None,
        "profile": profile.requested_schema if profile else [],
        "audience": audience.requested_schema if audience else None,
    }


def schemas_of_upload(mapping_id: int, instructions: dict[str, Any], status: str | None) -> dict[str, Any]:
    """The same of an upload: its own mapping, from the instructions of `request_schema`, and the status it brings."""
    return {
        "mapping_id": mapping_id,
        "is_opted_in": None,
        "status": status,
        "list_id": instructions["list_id"],
        "profile": instructions["mapping_schema"],
        "audience": None,
        "control_keys": False,
    }


def record_mapping_of_schemas(schemas: dict[str, Any]) -> RecordMapping:
    """What one of the functions above gave, ready for reading records."""
    audience = schemas["audience"]
    return record_mapping_of(
        [column_of(stored) for stored in schemas["profile"]],
        None if audience is None else [column_of(stored) for stored in audience],
        mapping_id=schemas["mapping_id"],
        status=schemas.get("status") or brought_by(schemas["is_opted_in"]),
        list_id=schemas["list_id"],
        control_keys=schemas.get("control_keys", True),
    )


def active_profile_mappings(connection: Connection, advertiser_id: str) -> list[Mapping]:
    """Every profile mapping in force of an advertiser, oldest first."""
    query = (
        select(MAPPINGS)
        .where(MAPPINGS.c.advertiser_id == advertiser_id, MAPPINGS.c.kind == PROFILE, MAPPINGS.c.in_force)
        .order_by(MAPPINGS.c.id)
    )
    return [_mapping(row, schema=row.mapping_schema) for row in connection.execute(query)]


def _newest(
    connection: Connection, advertiser_id: str, provider: str, kind: str, condition: ColumnElement[bool]
) -> Row[Any] | None:
    """The one without a mappable id before the others, then the newest."""
    query = (
        select(MAPPINGS)
        .where(
            MAPPINGS.c.advertiser_id == advertiser_id,
            MAPPINGS.c.kind == kind,
            MAPPINGS.c.type_key == provider_key(provider),
            condition,
        )
        .order_by(MAPPINGS.c.mappable_id != "", MAPPINGS.c.id.desc())
        .limit(1)
    )
    return connection.execute(query).one_or_none()


def _mapping(row: Row[Any], *, schema: list[dict[str, Any]] | None = None) -> Mapping:
    return Mapping(
        id=row.id,
        advertiser_id=row.advertiser_id,
        kind=row.kind,
        mappable_type=row.mappable_type,
        mappable_id=row.mappable_id or None,
        columns=tuple(column_of(stored) for stored in (row.requested_schema if schema is None else schema)),
        is_opted_in=row.requested_is_opted_in,
        list_id=row.requested_list_id,
    )
