"""`advertiser`, `advertisers` and the fields of `Advertiser`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ariadne import ObjectType, QueryType

from emulator.stackadapt.advertisers import ADVERTISER_LISTING, KnownAdvertiser
from emulator.stackadapt.graphql.context import Info
from emulator.stackadapt.graphql.resolvers.fields import connection_types, plain
from emulator.stackadapt.ingestion.declared_properties import ProfileProperty, property_catalogue
from emulator.stackadapt.relay import CursorOrder, connection
from emulator.workspace import READ

query = QueryType()
catalogue = ObjectType("Advertiser")
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

_PROPERTIES: CursorOrder[ProfileProperty] = CursorOrder(name="properties", position=lambda each: (each.rank, each.key))


def advertiser_node(advertiser: KnownAdvertiser) -> dict[str, Any]:
    """The `Advertiser` of the schema. It has no deals: they belong to campaigns."""
    return {
        "id": advertiser.id,
        "name": advertiser.name,
        "description": advertiser.description,
        "dealIds": None,
        "domainExclusions": advertiser.domain_exclusions,
        "isArchived": advertiser.is_archived,
        "isInventoryPackagesStrict": advertiser.is_inventory_packages_strict,
        "userMetadata": advertiser.user_metadata,
    }


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
    readable = context.advertisers.allowed(context.token, READ)
    found = [advertiser for advertiser in readable if _passes(advertiser, filterBy or {})]
    return connection(found, page, ADVERTISER_LISTING, node=advertiser_node)


@catalogue.field("cdpProfilePropertiesConnection")
def resolve_properties(parent: Mapping[str, Any], info: Info, **page: Any) -> dict[str, Any]:
    context = info.context
    properties = property_catalogue(context.connection, parent["id"], sorted(context.sources))
    return connection(properties, page, _PROPERTIES, node=_property_node)


def _property_node(each: ProfileProperty) -> dict[str, Any]:
    return {
        "key": each.key,
        "label": each.label,
        "dataType": each.data_type,
        "isPii": each.is_pii,
        "source": each.source,
        "connectionIds": each.connection_ids,
    }


def _passes(advertiser: KnownAdvertiser, filters: Mapping[str, Any]) -> bool:
    """Whether an advertiser passes all filters. Nothing has a cost here: `hasCostOrUnarchived` means unarchived."""
    ids, part = filters.get("ids"), filters.get("nameOrIdContains")
    if filters.get("archived") not in (None, advertiser.is_archived):
        return False
    if filters.get("hasCostOrUnarchived") and advertiser.is_archived:
        return False
    if ids is not None and advertiser.id not in ids:
        return False
    return part is None or part.lower() in advertiser.name.lower() or part in advertiser.id
