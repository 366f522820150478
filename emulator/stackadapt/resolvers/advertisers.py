"""`advertiser`, `advertisers` and the fields of `Advertiser`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from emulator.stackadapt.connections import connection
from emulator.stackadapt.context import Info
from emulator.stackadapt.properties import ProfileProperty, property_catalogue
from emulator.stackadapt.resolvers.fields import Fields, connection_types, plain
from emulator.workspace import READ, Advertiser

query = Fields("Query")
catalogue = Fields("Advertiser")
BINDABLES = [
    query,
    plain(
        "Advertiser",
        "id",
        "name",
        "description",
        "dealIds",
        "domainExclusions",
        "isArchived",
        "isInventoryPackagesStrict",
        "userMetadata",
    ),
    catalogue,
    plain("PageInfo", "startCursor", "endCursor", "hasNextPage", "hasPreviousPage"),
    plain("ProfileProperty", "key", "label", "dataType", "isPii", "source", "connectionIds"),
    *connection_types("Advertiser"),
    *connection_types("ProfileProperty"),
]


def advertiser_node(advertiser: Advertiser) -> dict[str, Any]:
    """An advertiser as the schema shows it. A workspace's advertisers are not archived."""
    return {**asdict(advertiser), "isArchived": False}


@query.field("advertiser")
def resolve_advertiser(_parent: Any, info: Info, *, id: str) -> dict[str, Any] | None:  # noqa: A002 - the argument's name in the schema
    advertiser = info.context.readable(id)
    return advertiser_node(advertiser) if advertiser else None


@query.field("advertisers")
def resolve_advertisers(
    _parent: Any,
    info: Info,
    *,
    filterBy: Mapping[str, Any] | None = None,  # noqa: N803 - the argument's name in the schema
    **page: Any,
) -> dict[str, Any]:
    context = info.context
    found = [
        advertiser
        for advertiser in context.workspace.advertisers
        if context.token.allows(READ, advertiser.id) and _passes(advertiser, filterBy or {})
    ]
    return connection(found, page, node=advertiser_node)


@catalogue.field("cdpProfilePropertiesConnection")
def resolve_properties(parent: Mapping[str, Any], info: Info, **page: Any) -> dict[str, Any]:
    context = info.context
    properties = property_catalogue(context.connection, parent["id"], sorted(context.sources))
    return connection(properties, page, node=_property_node)


def _property_node(each: ProfileProperty) -> dict[str, Any]:
    return {
        "key": each.key,
        "label": each.label,
        "dataType": each.data_type,
        "isPii": each.is_pii,
        "source": each.source,
        "connectionIds": each.connection_ids,
    }


def _passes(advertiser: Advertiser, filters: Mapping[str, Any]) -> bool:
    """All given filters hold. Nothing is archived here, so `hasCostOrUnarchived` leaves everyone in."""
    ids, part = filters.get("ids"), filters.get("nameOrIdContains")
    if filters.get("archived"):
        return False
    if ids is not None and advertiser.id not in ids:
        return False
    return part is None or part.lower() in advertiser.name.lower() or part in advertiser.id
