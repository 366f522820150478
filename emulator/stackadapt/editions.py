"""The editions of the schema that the emulator serves, and which of their fields it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from ariadne import make_executable_schema
from graphql import GraphQLEnumType, GraphQLObjectType, GraphQLSchema

from emulator.artefacts import contract
from emulator.errors import EmulatorDefect, InputError, nearest
from emulator.stackadapt.resolvers import advertisers, deletions, mappings, profiles, tokens
from emulator.stackadapt.resolvers.fields import Fields, not_emulated

LATEST: Final = "2026-06"
_EVERY_FIELD: Final = ("*",)

_COMMON = (
    *tokens.BINDABLES,
    *advertisers.BINDABLES,
    *mappings.BINDABLES,
    *profiles.BINDABLES,
    *deletions.BINDABLES,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """A dated schema under `contracts/stackadapt/`; `not_emulated` names the fields that answer an error, by type."""

    file: str
    bindables: tuple[Fields, ...]
    not_emulated: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


EDITIONS: Final[Mapping[str, Edition]] = {
    LATEST: Edition(
        file="stackadapt/2026-06/schema.graphql",
        bindables=(*_COMMON, *mappings.BINDABLES_2026, *deletions.BINDABLES_2026),
        not_emulated={
            "Query": ("audiences", "customSegments", "dataHubWebhookApi"),
            "Mutation": (
                "archiveAdvertiser",
                "archiveAdvertisers",
                "createAdvertiser",
                "createProfileList",
                "createUploadTargets",
                "createUserUploadedProfiles",
                "createUserUploadedProfilesWithJson",
                "dataHubWebhookApi",
                "deleteProfileList",
                "restoreAdvertiser",
                "updateAdvertiser",
                "updateProfileList",
                "updateProfileListProfiles",
            ),
            "Advertiser": ("profileList", "profileLists"),
            # Reached through the fields above only.
            "ArchiveAdvertiserPayload": _EVERY_FIELD,
            "ArchiveAdvertisersPayload": _EVERY_FIELD,
            "AudienceCatalogue": _EVERY_FIELD,
            "CampaignConnection": _EVERY_FIELD,
            "CampaignEdge": _EVERY_FIELD,
            "CreateAdvertiserPayload": _EVERY_FIELD,
            "CreateProfileListPayload": _EVERY_FIELD,
            "CreateUploadTargetsPayload": _EVERY_FIELD,
            "CreateUserUploadedProfilesPayload": _EVERY_FIELD,
            "CreateUserUploadedProfilesWithJSONPayload": _EVERY_FIELD,
            "CustomSegmentAdvertiserPermissions": _EVERY_FIELD,
            "CustomSegmentConnection": _EVERY_FIELD,
            "CustomSegmentEdge": _EVERY_FIELD,
            "DataHubWebhookApiMutation": _EVERY_FIELD,
            "DataHubWebhookApiQuery": _EVERY_FIELD,
            "DataHubWebhookApiUpsertDataHubProfilesResponse": _EVERY_FIELD,
            "DeleteProfileListPayload": _EVERY_FIELD,
            "PlaceholderCustomSegment": _EVERY_FIELD,
            "ProfileList": _EVERY_FIELD,
            "ProfileListConnection": _EVERY_FIELD,
            "ProfileListEdge": _EVERY_FIELD,
            "RestoreAdvertiserPayload": _EVERY_FIELD,
            "RuleGroupAudienceCustomSegment": _EVERY_FIELD,
            "UpdateAdvertiserPayload": _EVERY_FIELD,
            "UpdateProfileListProfilesPayload": _EVERY_FIELD,
            "UploadTarget": _EVERY_FIELD,
            "UploadTargetParameters": _EVERY_FIELD,
            "UserUploadedCustomSegment": _EVERY_FIELD,
            "UserUploadedProfiles": _EVERY_FIELD,
        },
    ),
    "2024-12": Edition(file="stackadapt/2024-12/schema.graphql", bindables=_COMMON),
}


@cache
def executable_schema(name: str) -> GraphQLSchema:
    """The schema of an edition with its resolvers, built once per process.

    Raises InputError for an unknown edition, EmulatorDefect when schema and resolvers do not fit each other.
    """
    edition = EDITIONS.get(name)
    if edition is None:
        raise InputError(
            "there is no such edition of the API.",
            where="apiEdition",
            found=name,
            allowed=", ".join(EDITIONS),
            hint=nearest(name, EDITIONS),
        )
    return build_edition(edition)


def build_edition(edition: Edition) -> GraphQLSchema:
    """Binds the resolvers of an edition. Raises EmulatorDefect for a resolver without a field and the reverse."""
    schema = make_executable_schema(contract(edition.file).read_text(encoding="utf-8"), *edition.bindables)
    for type_name, fields in edition.not_emulated.items():
        _bind_not_emulated(schema, type_name, fields)
    for graphql_type in _object_types(schema):
        for name, graphql_field in graphql_type.fields.items():
            if graphql_field.resolve is None:
                raise EmulatorDefect(
                    "a field has no resolver.",
                    where=f"{graphql_type.name}.{name}",
                    hint="Bind one, or name the field in `not_emulated`.",
                )
    return schema


def members_of(schema: GraphQLSchema, enum_name: str) -> frozenset[str]:
    """The members of an enum of the schema."""
    enum = schema.type_map[enum_name]
    if not isinstance(enum, GraphQLEnumType):
        raise EmulatorDefect("the schema has no such enum.", where=enum_name)
    return frozenset(enum.values)


def _bind_not_emulated(schema: GraphQLSchema, type_name: str, names: tuple[str, ...]) -> None:
    graphql_type = schema.type_map.get(type_name)
    if not isinstance(graphql_type, GraphQLObjectType):
        raise EmulatorDefect(
            "`not_emulated` names an unknown type.", where=type_name, hint=nearest(type_name, schema.type_map)
        )
    bindable = Fields(type_name)
    for name in graphql_type.fields if names == _EVERY_FIELD else names:
        bindable.set_field(name, not_emulated(type_name, name))
    bindable.bind_to_schema(schema)


def _object_types(schema: GraphQLSchema) -> list[GraphQLObjectType]:
    return [
        graphql_type
        for graphql_type in schema.type_map.values()
        if isinstance(graphql_type, GraphQLObjectType) and not graphql_type.name.startswith("__")
    ]
