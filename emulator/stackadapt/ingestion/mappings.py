"""Stored mappings: which property each incoming key fills, and which keys hold an external audience's id and name.

A mapping is identified by advertiser, kind, mappable type (spelling ignored) and mappable id. What a mutation requests
is stored at once; it becomes active when its job is due.
"""

from __future__ import annotations

import json
from collections.abc import Mapping as CollectionMapping
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Text, bindparam, cast, select, update

from emulator.stackadapt.ingestion.mapping_versions import add_version, newest_version
from emulator.stackadapt.rules.mapping_columns import EXTERNAL_ID, MappingColumn, column_of
from emulator.stackadapt.rules.providers import provider_key
from emulator.stackadapt.rules.records import RecordMapping, record_mapping_of, status_brought_by
from emulator.stackadapt.tables import MAPPINGS, row_id
from emulator.statements import Prepared, insert_row

PROFILE = "profile"
AUDIENCE = "audience"
# The key that works without a mapping, and the destination key of a column that names another one.
_AUDIENCE_COLUMNS: Final = {"id": ("audienceId", EXTERNAL_ID), "name": ("audienceName", "name")}

# The mappings for records of one provider, as JSON that a job can carry.
Schemas = dict[str, Any]
# The columns, consent and list that a mutation requests, as JSON that a job can carry.
StoredSchema = CollectionMapping[str, Any]


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


_OWN = (
    MAPPINGS.c.advertiser_id == bindparam("advertiser_id"),
    MAPPINGS.c.kind == bindparam("kind"),
    MAPPINGS.c.type_key == bindparam("type_key"),
)
_IDENTITY = (
    MAPPINGS.c.id,
    MAPPINGS.c.advertiser_id,
    MAPPINGS.c.kind,
    MAPPINGS.c.type_key,
    MAPPINGS.c.mappable_type,
    MAPPINGS.c.mappable_id,
)


def _as_text(schema: ColumnElement[Any]) -> ColumnElement[str]:
    """The columns of a mapping as text: nearly always the text that was read before."""
    return cast(schema, Text).label("schema")


_REQUESTED = select(
    *_IDENTITY,
    _as_text(MAPPINGS.c.requested_schema),
    MAPPINGS.c.requested_is_opted_in.label("is_opted_in"),
    MAPPINGS.c.requested_list_id.label("list_id"),
)
_FIND = Prepared(_REQUESTED.where(*_OWN, MAPPINGS.c.mappable_id == bindparam("mappable_id")))
_BY_ID = Prepared(_REQUESTED.where(MAPPINGS.c.id == bindparam("id"), MAPPINGS.c.kind == bindparam("kind")))
_REQUEST = Prepared(
    update(MAPPINGS)
    .where(MAPPINGS.c.id == bindparam("mapping"))
    .values(
        requested_schema=bindparam("schema", type_=MAPPINGS.c.requested_schema.type),
        requested_is_opted_in=bindparam("opted_in"),
        requested_list_id=bindparam("list"),
    )
)
_ACTIVE = Prepared(
    select(
        *_IDENTITY,
        _as_text(MAPPINGS.c.mapping_schema),
        MAPPINGS.c.is_opted_in,
        MAPPINGS.c.list_id,
        MAPPINGS.c.in_force,
    ).where(MAPPINGS.c.id == bindparam("id"))
)
_ACTIVATE = Prepared(
    update(MAPPINGS)
    .where(MAPPINGS.c.id == bindparam("mapping"))
    .values(
        mapping_schema=bindparam("schema", type_=MAPPINGS.c.mapping_schema.type),
        is_opted_in=bindparam("opted_in"),
        list_id=bindparam("list"),
        in_force=True,
    )
)


def _newest(*conditions: ColumnElement[bool], schema: ColumnElement[Any], opted_in: ColumnElement[Any]) -> Prepared:
    """The mapping without a mappable id if there is one, else the newest; its columns as text."""
    return Prepared(
        select(MAPPINGS.c.id, _as_text(schema), opted_in.label("is_opted_in"), MAPPINGS.c.list_id)
        .where(*_OWN, *conditions)
        .order_by(MAPPINGS.c.mappable_id != "", MAPPINGS.c.id.desc())
        .limit(1)
    )


_FORM_IN_FORCE: Final = {"schema": MAPPINGS.c.mapping_schema, "opted_in": MAPPINGS.c.is_opted_in}
_NEWEST_ACTIVE = _newest(MAPPINGS.c.in_force, **_FORM_IN_FORCE)
_CHOSEN_ACTIVE = _newest(MAPPINGS.c.in_force, MAPPINGS.c.id == bindparam("mapping"), **_FORM_IN_FORCE)
_NEWEST_REQUESTED = _newest(schema=MAPPINGS.c.requested_schema, opted_in=MAPPINGS.c.requested_is_opted_in)


def mapping_by_id(connection: Connection, mapping_id: str, kind: str) -> Mapping | None:
    """The mapping with this id and kind."""
    row = _BY_ID.first(connection, id=row_id(mapping_id), kind=kind)
    return _mapping(row, _columns(row.schema)) if row else None


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
    row = _FIND.first(connection, **identity)
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
        row = _FIND.first(connection, **identity)
    return _mapping(row, _columns(row.schema))


def request_schema(
    connection: Connection,
    mapping: Mapping,
    columns: Sequence[MappingColumn],
    *,
    is_opted_in: bool | None = None,
    list_id: int | None = None,
) -> StoredSchema:
    """Stores what a mutation requests and returns the instructions of the job that activates it."""
    schema = [column.as_dict() for column in columns]
    if (*mapping.columns,) != (*columns,) or (mapping.is_opted_in, mapping.list_id) != (is_opted_in, list_id):
        _REQUEST.run(connection, mapping=mapping.id, schema=schema, opted_in=is_opted_in, list=list_id)
    return {"mapping_schema": schema, "is_opted_in": is_opted_in, "list_id": list_id}


def activate(connection: Connection, mapping_id: int, instructions: StoredSchema, now: int) -> None:
    """Makes active what `request_schema` stored."""
    mapping = _ACTIVE.first(connection, id=mapping_id)
    schema, opted_in, list_id = (instructions[name] for name in ("mapping_schema", "is_opted_in", "list_id"))
    present = _parsed(mapping.schema), mapping.is_opted_in, mapping.list_id
    if mapping.in_force and present == (schema, opted_in, list_id):
        return
    _ACTIVATE.run(connection, mapping=mapping_id, schema=schema, opted_in=opted_in, list=list_id)
    add_version(connection, mapping, [column["incoming_key"] for column in schema], now)


def active_schemas(connection: Connection, advertiser_id: str, provider: str, mapping_id: int | None = None) -> Schemas:
    """The active mappings for records of a provider.

    `mapping_id` selects the profile mapping of one connection, for a provider that has several.
    """
    profile, audience = _active_rows(connection, advertiser_id, provider, mapping_id)
    return {
        "mapping_id": profile.id if profile else 0,
        "is_opted_in": profile.is_opted_in if profile else None,
        "list_id": profile.list_id if profile else None,
        "profile": json.loads(profile.schema) if profile else [],
        "audience": json.loads(audience.schema) if audience else None,
        "version": newest_version(connection),
    }


def active_record_mapping(
    connection: Connection, advertiser_id: str, provider: str, mapping_id: int | None = None
) -> RecordMapping:
    """The mappings of `active_schemas`, prepared for reading records."""
    profile, audience = _active_rows(connection, advertiser_id, provider, mapping_id)
    return _record_mapping(profile, audience.schema if audience else None)


def requested_record_mapping(connection: Connection, advertiser_id: str, provider: str) -> RecordMapping:
    """The newest mappings that mutations requested for records of a provider, active or not, without a list."""
    own = {"advertiser_id": advertiser_id, "type_key": provider_key(provider)}
    profile = _NEWEST_REQUESTED.first(connection, kind=PROFILE, **own)
    audience = _NEWEST_REQUESTED.first(connection, kind=AUDIENCE, **own)
    without_list = profile._replace(list_id=None) if profile else None
    return _record_mapping(without_list, audience.schema if audience else None)


def _active_rows(connection: Connection, advertiser_id: str, provider: str, mapping_id: int | None) -> tuple[Any, Any]:
    """The active profile mapping and the active audience mapping; None for one that is missing."""
    own = {"advertiser_id": advertiser_id, "type_key": provider_key(provider)}
    if mapping_id is None:
        profile = _NEWEST_ACTIVE.first(connection, kind=PROFILE, **own)
    else:
        profile = _CHOSEN_ACTIVE.first(connection, kind=PROFILE, mapping=mapping_id, **own)
    return profile, _NEWEST_ACTIVE.first(connection, kind=AUDIENCE, **own)


# Nearly every document has the mappings of the one before it.
@lru_cache(maxsize=100)
def _record_mapping(profile: Any, audience: str | None) -> RecordMapping:
    """The mapping of a row of `_newest` and the columns of an audience mapping."""
    return record_mapping_of(
        _columns(profile.schema) if profile else (),
        None if audience is None else _columns(audience),
        mapping_id=profile.id if profile else 0,
        status=status_brought_by(profile.is_opted_in if profile else None),
        list_id=profile.list_id if profile else None,
    )


def schemas_of_upload(mapping_id: int, instructions: StoredSchema, status: str | None) -> Schemas:
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
        select(*_IDENTITY, MAPPINGS.c.mapping_schema, MAPPINGS.c.is_opted_in, MAPPINGS.c.list_id)
        .where(MAPPINGS.c.advertiser_id == advertiser_id, MAPPINGS.c.kind == PROFILE, MAPPINGS.c.in_force)
        .order_by(MAPPINGS.c.id)
    )
    return [found for row in connection.execute(query) if (found := _readable_mapping(row)) is not None]


def audience_keys(connection: Connection, advertiser_id: str, of: str | None = None) -> set[str]:
    """The incoming keys of an audience's id or name: those that work without a mapping, and those of every mapping.

    With `of`, "id" or "name", those of one of the two.
    """
    query = select(MAPPINGS.c.requested_schema)
    own = (MAPPINGS.c.advertiser_id == advertiser_id, MAPPINGS.c.kind == AUDIENCE)
    columns = [column for schema in connection.scalars(query.where(*own)) for column in schema]
    if of is None:
        return {"audienceId", "audienceName"} | {column["incoming_key"] for column in columns}
    implied, destination = _AUDIENCE_COLUMNS[of]
    return {implied} | {column["incoming_key"] for column in columns if column["destination_key"] == destination}


def _readable_mapping(row: Any) -> Mapping | None:
    if not isinstance(row.mappable_type, str | None):
        return None
    try:
        return _mapping(row, tuple(map(column_of, row.mapping_schema)))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _mapping(row: Any, columns: tuple[MappingColumn, ...]) -> Mapping:
    return Mapping(
        id=row.id,
        advertiser_id=row.advertiser_id,
        kind=row.kind,
        mappable_type=row.mappable_type,
        mappable_id=row.mappable_id or None,
        columns=columns,
        is_opted_in=row.is_opted_in,
        list_id=row.list_id,
    )


# Shared by all that read them, and never changed.
@lru_cache(maxsize=100)
def _parsed(schema: str) -> list[dict[str, Any]]:
    parsed: list[dict[str, Any]] = json.loads(schema)
    return parsed


@lru_cache(maxsize=100)
def _columns(schema: str) -> tuple[MappingColumn, ...]:
    return tuple(map(column_of, _parsed(schema)))
