"""`createAdvertiser`, `updateAdvertiser`, `archiveAdvertiser`, `archiveAdvertisers` and `restoreAdvertiser`.

What the emulator does not have any part of (inventory packages) is accepted and shows nowhere. An archived advertiser
goes on taking profiles in (assumed).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.stackadapt import messages
from emulator.stackadapt.graphql.context import RequestContext
from emulator.stackadapt.graphql.resolvers.advertisers import advertiser_node
from emulator.stackadapt.graphql.resolvers.fields import Fields, mutation, payload_type
from emulator.stackadapt.rules.user_errors import payload, refusal
from emulator.text import is_storable
from emulator.workspace import WRITE

# Stated in the schema's own text.
MOST_ADVERTISERS = 100

mutations = Fields("Mutation")
BINDABLES_2026 = [
    mutations,
    payload_type("CreateAdvertiserPayload", "advertiser"),
    payload_type("UpdateAdvertiserPayload", "advertiser"),
    payload_type("ArchiveAdvertiserPayload"),
    payload_type("ArchiveAdvertisersPayload"),
    payload_type("RestoreAdvertiserPayload"),
]


def create_advertiser(context: RequestContext, given: Mapping[str, Any]) -> dict[str, Any]:
    """Makes an advertiser. The token needs WRITE on some advertiser (assumed)."""
    if not context.advertisers.allowed(context.token, WRITE):
        raise refusal(messages.NO_WRITE_SCOPE, "input")
    if given.get("id") is not None:
        raise refusal(messages.ID_NOT_TAKEN, "input", "id")
    changes = _changes(given)
    if "name" not in changes:
        raise refusal(messages.NAME_REQUIRED, "input", "name")
    advertiser = context.advertisers.make(context.token, changes)
    return {**payload(), "advertiser": advertiser_node(advertiser)}


def update_advertiser(context: RequestContext, given: Mapping[str, Any]) -> dict[str, Any]:
    """Changes the fields that are given."""
    if given.get("id") is None:
        raise refusal(messages.ADVERTISER_ID_REQUIRED, "input", "id")
    advertiser = context.writable(given["id"], "input", "id")
    changed = context.advertisers.change(advertiser, _changes(given))
    return {**payload(), "advertiser": advertiser_node(changed)}


def archive_advertiser(context: RequestContext, given: Mapping[str, Any]) -> dict[str, Any]:
    """Archives one advertiser."""
    return _archive(context, [given["id"]], "id", archived=True)


def archive_advertisers(context: RequestContext, given: Mapping[str, Any]) -> dict[str, Any]:
    """Archives up to 100 advertisers, or none when one of them cannot be (assumed)."""
    if len(given["ids"]) > MOST_ADVERTISERS:
        raise refusal(messages.TOO_MANY_ADVERTISERS, "input", "ids")
    return _archive(context, given["ids"], "ids", archived=True)


def restore_advertiser(context: RequestContext, given: Mapping[str, Any]) -> dict[str, Any]:
    """Takes an advertiser out of the archive."""
    return _archive(context, [given["id"]], "id", archived=False)


mutations.set_field("createAdvertiser", mutation(create_advertiser))
mutations.set_field("updateAdvertiser", mutation(update_advertiser))
mutations.set_field("archiveAdvertiser", mutation(archive_advertiser))
mutations.set_field("archiveAdvertisers", mutation(archive_advertisers))
mutations.set_field("restoreAdvertiser", mutation(restore_advertiser))


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
