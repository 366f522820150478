"""`advertiser`, `advertisers`, the fields of `Advertiser`, and the mutations of advertisers.

Fields about features that the emulator does not have (inventory packages) are accepted and have no effect. An archived
advertiser still accepts profiles (assumed).
"""

from __future__ import annotations

from typing import Any

from ariadne import MutationType, ObjectType, QueryType, convert_camel_case_to_snake

from emulator.stackadapt import messages
from emulator.stackadapt.advertisers import ADVERTISER_LISTING, KnownAdvertiser
from emulator.stackadapt.graphql.context import Info, RequestContext
from emulator.stackadapt.graphql.resolvers.fields import Input, Output, mutation, plain
from emulator.stackadapt.ingestion.declared_properties import ProfileProperty, property_catalogue
from emulator.stackadapt.relay import CursorOrder, connection
from emulator.stackadapt.rules.user_errors import refusal
from emulator.text import is_storable
from emulator.workspace import READ

# From the schema's own text.
MOST_ADVERTISERS = 100

query = QueryType()
mutations = MutationType()
catalogue = ObjectType("Advertiser")
BINDABLES = [
    query,
    # It has no deals: they belong to campaigns.
    plain("Advertiser", "id", "name", "description", "dealIds", "domainExclusions", "isArchived", "userMetadata"),
    plain("Advertiser", "isInventoryPackagesStrict"),
    catalogue,
    plain("PageInfo", "startCursor", "endCursor", "hasNextPage", "hasPreviousPage"),
    plain("ProfileProperty", "key", "label", "dataType", "isPii", "source", "connectionIds"),
]

BINDABLES_2026 = [mutations]

_PROPERTIES: CursorOrder[ProfileProperty] = CursorOrder(name="properties", position=lambda each: (each.rank, each.key))


@query.field("advertiser")
def resolve_advertiser(_parent: Any, info: Info, *, id: str) -> KnownAdvertiser | None:
    return info.context.readable(id)


@query.field("advertisers")
def resolve_advertisers(_parent: Any, info: Info, *, filterBy: Input | None = None, **page: Any) -> Output:
    context = info.context
    readable = context.advertisers.allowed(context.token, READ)
    found = [advertiser for advertiser in readable if _passes(advertiser, filterBy or {})]
    return connection(found, page, ADVERTISER_LISTING)


@catalogue.field("cdpProfilePropertiesConnection")
def resolve_properties(parent: KnownAdvertiser, info: Info, **page: Any) -> Output:
    context = info.context
    properties = property_catalogue(context.connection, parent.id, sorted(context.sources))
    return connection(properties, page, _PROPERTIES)


@mutations.field("createAdvertiser")
@mutation
def create_advertiser(context: RequestContext, given: Input) -> Output:
    """Creates an advertiser. The token needs WRITE on some advertiser (assumed)."""
    context.writes_somewhere()
    if given.get("id") is not None:
        raise refusal(messages.ID_NOT_ACCEPTED, "input", "id")
    changes = _changes(given)
    if "name" not in changes:
        raise refusal(messages.NAME_REQUIRED, "input", "name")
    return {"advertiser": context.advertisers.make(context.token, changes)}


@mutations.field("updateAdvertiser")
@mutation
def update_advertiser(context: RequestContext, given: Input) -> Output:
    """Changes the fields that are given."""
    if given.get("id") is None:
        raise refusal(messages.ADVERTISER_ID_REQUIRED, "input", "id")
    advertiser = context.writable(given["id"], "input", "id")
    return {"advertiser": context.advertisers.change(advertiser, _changes(given))}


@mutations.field("archiveAdvertiser")
@mutation
def archive_advertiser(context: RequestContext, given: Input) -> None:
    """Archives one advertiser."""
    _archive(context, [given["id"]], "id", archived=True)


@mutations.field("archiveAdvertisers")
@mutation
def archive_advertisers(context: RequestContext, given: Input) -> None:
    """Archives up to 100 advertisers, or none when one of them cannot be (assumed)."""
    if len(given["ids"]) > MOST_ADVERTISERS:
        raise refusal(messages.TOO_MANY_ADVERTISERS, "input", "ids")
    _archive(context, given["ids"], "ids", archived=True)


@mutations.field("restoreAdvertiser")
@mutation
def restore_advertiser(context: RequestContext, given: Input) -> None:
    """Restores an archived advertiser."""
    _archive(context, [given["id"]], "id", archived=False)


def _passes(advertiser: KnownAdvertiser, filters: Input) -> bool:
    """Whether an advertiser passes all filters. Nothing has a cost here: `hasCostOrUnarchived` means unarchived."""
    ids, part = filters.get("ids"), filters.get("nameOrIdContains")
    if filters.get("archived") not in (None, advertiser.is_archived):
        return False
    if filters.get("hasCostOrUnarchived") and advertiser.is_archived:
        return False
    if ids is not None and advertiser.id not in ids:
        return False
    return part is None or part.lower() in advertiser.name.lower() or part in advertiser.id


def _archive(context: RequestContext, advertiser_ids: list[str | None], argument: str, *, archived: bool) -> None:
    if None in advertiser_ids:
        raise refusal(messages.ADVERTISER_ID_REQUIRED, "input", argument)
    chosen = [context.writable(str(advertiser_id), "input", argument) for advertiser_id in advertiser_ids]
    for advertiser in chosen:
        context.advertisers.change(advertiser, {"is_archived": archived})


def _changes(given: Input) -> dict[str, Any]:
    """The fields of an advertiser that the input gives. `userMetadata` becomes an object (assumed)."""
    changes: dict[str, Any] = {}
    for field in ("description", "domainExclusions", "isInventoryPackagesStrict"):
        if field in given:
            changes[convert_camel_case_to_snake(field)] = given[field]
    if given.get("name") is not None:
        changes["name"] = given["name"].strip()
        if not changes["name"] or not is_storable(changes["name"]):
            raise refusal(messages.NAME_REQUIRED, "input", "name")
    if "userMetadata" in given:
        entries = given["userMetadata"]
        changes["user_metadata"] = None if entries is None else {each["key"]: each["value"] for each in entries}
    if changes.get("domain_exclusions") is not None:
        changes["domain_exclusions"] = tuple(changes["domain_exclusions"])
    return changes
