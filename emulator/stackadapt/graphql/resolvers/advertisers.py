"""`advertiser`, `advertisers`, the fields of `Advertiser`, and the mutations of advertisers.

Fields about features that the emulator does not have (inventory packages) are accepted and have no effect. An archived
advertiser still accepts profiles (assumed).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ariadne import MutationType, ObjectType, QueryType

from emulator.stackadapt import messages
from emulator.stackadapt.advertisers import ADVERTISER_LISTING, KnownAdvertiser
from emulator.stackadapt.graphql.context import Info, RequestContext
from emulator.stackadapt.graphql.resolvers.fields import connection_types, mutation, payload_type, plain
from emulator.stackadapt.ingestion.declared_properties import ProfileProperty, property_catalogue
from emulator.stackadapt.relay import CursorOrder, connection
from emulator.stackadapt.rules.user_errors import payload, refusal
from emulator.text import is_storable
from emulator.workspace import READ, WRITE

# From the schema's own text.
MOST_ADVERTISERS = 100

query = QueryType()
mutations = MutationType()
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

BINDABLES_2026 = [
    mutations,
    payload_type("CreateAdvertiserPayload", "advertiser"),
    payload_type("UpdateAdvertiserPayload", "advertiser"),
    payload_type("ArchiveAdvertiserPayload"),
    payload_type("ArchiveAdvertisersPayload"),
    payload_type("RestoreAdvertiserPayload"),
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


@mutations.field("createAdvertiser")
@mutation
def create_advertiser(context: RequestContext, given: Mapping[str, Any]) -> dict[str, Any]:
    """Creates an advertiser. The token needs WRITE on some advertiser (assumed)."""
    if not context.advertisers.allowed(context.token, WRITE):
        raise refusal(messages.NO_WRITE_SCOPE, "input")
    if given.get("id") is not None:
        raise refusal(messages.ID_NOT_ACCEPTED, "input", "id")
    changes = _changes(given)
    if "name" not in changes:
        raise refusal(messages.NAME_REQUIRED, "input", "name")
    advertiser = context.advertisers.make(context.token, changes)
    return {**payload(), "advertiser": advertiser_node(advertiser)}


@mutations.field("updateAdvertiser")
@mutation
def update_advertiser(context: RequestContext, given: Mapping[str, Any]) -> dict[str, Any]:
    """Changes the fields that are given."""
    if given.get("id") is None:
        raise refusal(messages.ADVERTISER_ID_REQUIRED, "input", "id")
    advertiser = context.writable(given["id"], "input", "id")
    changed = context.advertisers.change(advertiser, _changes(given))
    return {**payload(), "advertiser": advertiser_node(changed)}


@mutations.field("archiveAdvertiser")
@mutation
def archive_advertiser(context: RequestContext, given: Mapping[str, Any]) -> dict[str, Any]:
    """Archives one advertiser."""
    return _archive(context, [given["id"]], "id", archived=True)


@mutations.field("archiveAdvertisers")
@mutation
def archive_advertisers(context: RequestContext, given: Mapping[str, Any]) -> dict[str, Any]:
    """Archives up to 100 advertisers, or none when one of them cannot be (assumed)."""
    if len(given["ids"]) > MOST_ADVERTISERS:
        raise refusal(messages.TOO_MANY_ADVERTISERS, "input", "ids")
    return _archive(context, given["ids"], "ids", archived=True)


@mutations.field("restoreAdvertiser")
@mutation
def restore_advertiser(context: RequestContext, given: Mapping[str, Any]) -> dict[str, Any]:
    """Restores an archived advertiser."""
    return _archive(context, [given["id"]], "id", archived=False)


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


def _archive(
    context: RequestContext, advertiser_ids: list[str | None], argument: str, *, archived: bool
) -> dict[str, Any]:
    if None in advertiser_ids:
        raise refusal(messages.ADVERTISER_ID_REQUIRED, "input", argument)
    chosen = [context.writable(str(advertiser_id), "input", argument) for advertiser_id in advertiser_ids]
    for advertiser in chosen:
        context.advertisers.change(advertiser, {"is_archived": archived})
    return payload()


def _changes(given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an advertiser that the input gives. `userMetadata` becomes an object (assumed)."""
    changes: dict[str, Any] = {}
    if given.get("name") is not None:
        changes["name"] = given["name"].strip()
        if not changes["name"] or not is_storable(changes["name"]):
            raise refusal(messages.NAME_REQUIRED, "input", "name")
    for name, field in (
        ("description", "description"),
        ("domainExclusions", "domain_exclusions"),
        ("isInventoryPackagesStrict", "is_inventory_packages_strict"),
    ):
        if name in given:
            changes[field] = given[name]
    if "userMetadata" in given:
        entries = given["userMetadata"]
        changes["user_metadata"] = None if entries is None else {each["key"]: each["value"] for each in entries}
    if changes.get("domain_exclusions") is not None:
        changes["domain_exclusions"] = tuple(changes["domain_exclusions"])
    return changes
