"""`customSegments`: the segments of readable advertisers, as `RuleGroupAudienceCustomSegment`.

`audiences` is the catalogue of third-party audiences, empty in the emulator.

The service has no public type for segments of customer data; this one has no type and consists of rules (assumed), so a
filter by type or provider excludes all of them.
"""

from __future__ import annotations

from typing import Any

from ariadne import InterfaceType, ObjectType, QueryType
from sqlalchemy import Row, select
from sqlalchemy.exc import DatabaseError

from emulator.errors import EmulatorError
from emulator.stackadapt import messages
from emulator.stackadapt.advertisers import ADVERTISER_LISTING
from emulator.stackadapt.graphql.context import Info
from emulator.stackadapt.graphql.resolvers.fields import Input, Output, plain
from emulator.stackadapt.messages import emulator_error
from emulator.stackadapt.relay import CursorOrder, Position, connection
from emulator.stackadapt.segments.store import compiled_segment, segment_size
from emulator.stackadapt.tables import SEGMENTS
from emulator.timestamps import from_millis, iso_of_millis
from emulator.workspace import READ

TYPE_NAME = "RuleGroupAudienceCustomSegment"

query = QueryType()
segment = ObjectType(TYPE_NAME)
permissions = ObjectType("CustomSegmentAdvertiserPermissions")
interface = InterfaceType("CustomSegment", lambda *_: TYPE_NAME)
BINDABLES_2026 = [
    query,
    interface,
    segment,
    plain("CustomSegmentAdvertiserPermissions", "advertiserRestricted"),
    permissions,
    plain("AudienceCatalogue", "demographicSegments", "interestSegments"),
]


@query.field("audiences")
def resolve_audiences(_parent: Any, _info: Info) -> dict[str, list[Any]]:
    return {"demographicSegments": [], "interestSegments": []}


@query.field("customSegments")
def resolve_custom_segments(
    _parent: Any, info: Info, *, filterBy: Input | None = None, sortBy: Input | None = None, **page: Any
) -> Output:
    context = info.context
    # `includePublic`, part of `page`, has no effect: no segment is public.
    readable = [advertiser.id for advertiser in context.advertisers.allowed(context.token, READ)]
    rows = context.connection.execute(select(SEGMENTS).where(SEGMENTS.c.advertiser_id.in_(readable))).all()
    found = [row for row in rows if _passes(row, filterBy or {})]
    return connection(found, page, _listing(sortBy), node=_node)


@segment.field("size")
def resolve_size(parent: Input, info: Info) -> int:
    context, row = info.context, parent["row"]
    try:
        # An error in a statement would end the transaction of the whole document.
        with context.connection.begin_nested():
            compiled = compiled_segment(context.connection, row, from_millis(context.arrival.received_at))
            return segment_size(context.connection, row, compiled)
    except (ValueError, TypeError, AttributeError, EmulatorError, DatabaseError) as error:
        raise emulator_error(messages.ITEM_DAMAGED.format(error)) from None


@permissions.field("permittedAdvertisers")
def resolve_permitted_advertisers(parent: Input, info: Info, **page: Any) -> Output:
    owner = info.context.advertisers.get(parent["advertiserId"])
    return connection([owner] if owner else [], page, ADVERTISER_LISTING)


def _listing(sort: Input | None) -> CursorOrder[Row[Any]]:
    field, order = (sort["field"], sort["order"]) if sort else ("created_at", "ASC")
    position = {"name": _by_name, "created_at": _by_age}[field]
    return CursorOrder(name=f"customSegments/{field}", position=position, descending=order == "DESC")


def _by_name(row: Row[Any]) -> Position:
    return str(row.name), row.id


def _by_age(row: Row[Any]) -> Position:
    # A time that is damaged in the store may be no number.
    return row.created_at if isinstance(row.created_at, int) else 0, row.id


def _passes(row: Row[Any], filters: Input) -> bool:
    ids, part = filters.get("ids"), filters.get("nameContains")
    if filters.get("types") is not None or filters.get("providers") is not None:
        return False
    return (ids is None or str(row.id) in ids) and (part is None or part.lower() in row.name.lower())


def _node(row: Row[Any]) -> Output:
    return {
        "active": True,
        "advertiserPermissions": {"advertiserRestricted": True, "advertiserId": row.advertiser_id},
        "createdAt": iso_of_millis(row.created_at),
        "description": "",
        "expandable": False,
        "id": str(row.id),
        "name": row.name,
        "row": row,
    }
