"""Profile lists: `createProfileList`, `updateProfileList`, `deleteProfileList`, `updateProfileListProfiles`, and
`Advertiser.profileList(s)`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ariadne import MutationType, ObjectType
from sqlalchemy import Row

from emulator.stackadapt import messages
from emulator.stackadapt.advertisers import KnownAdvertiser
from emulator.stackadapt.graphql.context import Info, RequestContext
from emulator.stackadapt.graphql.resolvers.fields import Input, Output, mutation, plain, valid_emails
from emulator.stackadapt.graphql.resolvers.profiles import INTEGRATIONS
from emulator.stackadapt.ingestion.jobs import LIST_MEMBERS_JOB
from emulator.stackadapt.ingestion.profile_lists import (
    PROFILE_LIST_LISTING,
    create_list,
    delete_list,
    integrations_of_list,
    list_by_id,
    list_named,
    lists_of,
    rename_list,
    size_of,
)
from emulator.stackadapt.relay import CursorOrder, connection
from emulator.stackadapt.rules.user_errors import refusal
from emulator.text import is_storable
from emulator.timestamps import iso_of_millis

mutations = MutationType()
of_advertiser = ObjectType("Advertiser")
of_list = ObjectType("ProfileList")
BINDABLES_2026 = [
    mutations,
    of_advertiser,
    of_list,
    plain(
        "ProfileList", "advertiser", "campaignsCount", "createdAt", "id", "name", "orchestrationFlowsCount", "updatedAt"
    ),
]

# The emulator has no campaigns.
_CAMPAIGNS: CursorOrder[Any] = CursorOrder(name="campaigns", position=lambda _campaign: (0,))


@mutations.field("createProfileList")
@mutations.field("updateProfileList")
@mutation
def keep_profile_list(context: RequestContext, given: Input) -> Output:
    """Creates a list, or renames the one with the given id: the schema describes both mutations this way."""
    advertiser_id, list_id, now = given.get("advertiserId"), given.get("id"), context.arrival.received_at
    name = _name(given)
    if advertiser_id is not None or list_id is None:
        context.writable(advertiser_id, "input", "advertiserId")
    if list_id is not None:
        number = writable_list(context, list_id, advertiser_id, "input", "id").id
        if name is not None:
            rename_list(context.connection, number, name, now=now)
    elif name is None:
        raise refusal(messages.NAME_REQUIRED, "input", "name")
    else:
        number = create_list(context.connection, str(advertiser_id), name, now=now)
    kept = list_by_id(context.connection, number)
    return {"profileList": _node(context, kept) if kept else None}


@mutations.field("deleteProfileList")
@mutation
def delete_profile_list(context: RequestContext, given: Input) -> None:
    """Deletes a list at once; its profiles stay."""
    delete_list(context.connection, writable_list(context, given["id"], None, "input", "id").id)


@mutations.field("updateProfileListProfiles")
@mutation
def update_profile_list_profiles(context: RequestContext, given: Input) -> None:
    """Enqueues a change of the members of one or more lists."""
    advertiser_id = given["advertiserId"]
    context.writable(advertiser_id, "input", "advertiserId")
    if not given["ids"]:
        raise refusal(messages.LISTS_REQUIRED, "input", "ids")
    list_ids = [writable_list(context, list_id, advertiser_id, "input", "ids").id for list_id in given["ids"]]
    add = _emails(context, given, "addProfilesRawEmail")
    remove = _emails(context, given, "removeProfilesRawEmail")
    if set(add) & set(remove):
        raise refusal(messages.ADDED_AND_REMOVED, "input", "removeProfilesRawEmail")
    instructions = {"list_ids": list_ids, "add": add, "remove": remove}
    context.jobs.add(LIST_MEMBERS_JOB, advertiser_id=advertiser_id, instructions=instructions)


def writable_list(context: RequestContext, list_id: str, advertiser_id: str | None, *path: str) -> Row[Any]:
    """The list with this id, of this advertiser if one is given. Raises Refusal with this path."""
    found = list_by_id(context.connection, list_id)
    if found is None or advertiser_id not in (None, found.advertiser_id):
        raise refusal(messages.LIST_UNKNOWN.format(list_id), *path)
    context.writable(found.advertiser_id, *path)
    return found


def chosen_list(context: RequestContext, advertiser_id: str, given: Input) -> int | None:
    """The list that `profileListId`, or else `profileListName`, of an input means. Raises Refusal."""
    if given.get("profileListId") is not None:
        number: int = writable_list(context, given["profileListId"], advertiser_id, "input", "profileListId").id
        return number
    name = _name(given, "profileListName")
    if name is None:
        return None
    return list_named(context.connection, advertiser_id, name, now=context.arrival.received_at)


@of_advertiser.field("profileList")
def resolve_profile_list(parent: KnownAdvertiser, info: Info, *, profileListId: str) -> Output | None:
    found = list_by_id(info.context.connection, profileListId)
    return _node(info.context, found) if found is not None and found.advertiser_id == parent.id else None


@of_advertiser.field("profileLists")
def resolve_profile_lists(parent: KnownAdvertiser, info: Info, **page: Any) -> Output:
    context = info.context
    rows = lists_of(context.connection, parent.id)
    return connection(rows, page, PROFILE_LIST_LISTING, node=lambda row: _node(context, row))


@of_list.field("size")
def resolve_size(parent: Input, info: Info) -> int:
    return size_of(info.context.connection, parent["row"])


@of_list.field("integrations")
def resolve_integrations(parent: Input, info: Info, **page: Any) -> Output:
    return connection(integrations_of_list(info.context.connection, parent["row"].id), page, INTEGRATIONS)


@of_list.field("programmaticCampaigns")
def resolve_campaigns(_parent: Input, _info: Info, **page: Any) -> Output:
    return connection((), page, _CAMPAIGNS)


def _node(context: RequestContext, row: Row[Any]) -> Output:
    return {
        "advertiser": context.advertisers.get(row.advertiser_id),
        "campaignsCount": 0,
        "createdAt": iso_of_millis(row.created_at),
        "id": row.id,
        "name": row.name,
        "orchestrationFlowsCount": 0,
        "updatedAt": iso_of_millis(row.updated_at),
        "row": row,
    }


def _name(given: Input, argument: str = "name") -> str | None:
    name: str | None = given.get(argument)
    if name is not None and (not name.strip() or not is_storable(name)):
        raise refusal(messages.NAME_REQUIRED, "input", argument)
    return name


def _emails(context: RequestContext, given: Input, argument: str) -> Sequence[str]:
    emails = given.get(argument) or ()
    if len(emails) > context.limits.profiles:
        raise refusal(messages.TOO_MANY_PROFILES.format(len(emails), context.limits.profiles), "input", argument)
    return valid_emails(emails, argument)
