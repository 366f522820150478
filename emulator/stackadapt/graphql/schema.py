"""The API versions of the schema that the emulator serves, each field with its resolver."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from ariadne import SchemaBindable, make_executable_schema
from graphql import GraphQLEnumType, GraphQLObjectType, GraphQLSchema

from emulator.artefacts import contract
from emulator.errors import EmulatorDefect, InputError, nearest
from emulator.stackadapt.graphql import scalars
from emulator.stackadapt.graphql.resolvers import (
    advertiser_mutations,
    advertisers,
    catalogue,
    custom_segments,
    data_hub,
    deletions,
    mappings,
    profile_lists,
    profiles,
    tokens,
    uploads,
)

LATEST: Final = "2026-06"

_COMMON = (
    *scalars.SCALARS,
    *tokens.BINDABLES,
    *advertisers.BINDABLES,
    *mappings.BINDABLES,
    *profiles.BINDABLES,
    *deletions.BINDABLES,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiVersion:
    """A dated schema under `contracts/stackadapt/` with what answers its fields."""

    file: str
    bindables: tuple[SchemaBindable, ...]


API_VERSIONS: Final[Mapping[str, ApiVersion]] = {
    LATEST: ApiVersion(
        file="stackadapt/2026-06/schema.graphql",
        bindables=(
            *_COMMON,
            *scalars.SCALARS_2026,
            *advertiser_mutations.BINDABLES_2026,
            *catalogue.BINDABLES_2026,
            *custom_segments.BINDABLES_2026,
            *data_hub.BINDABLES_2026,
            *deletions.BINDABLES_2026,
            *mappings.BINDABLES_2026,
            *profile_lists.BINDABLES_2026,
            *uploads.BINDABLES_2026,
        ),
    ),
    "2024-12": ApiVersion(file="stackadapt/2024-12/schema.graphql", bindables=_COMMON),
}


@cache
def executable_schema(name: str) -> GraphQLSchema:
    """The schema of an API version with its resolvers, built once per process.

    Raises InputError for an unknown API version, EmulatorDefect when schema and resolvers do not fit each other.
    """
    api_version = API_VERSIONS.get(name)
    if api_version is None:
        raise InputError(
            "there is no such API version of the API",
            where="apiVersion",
            found=name,
            allowed=", ".join(API_VERSIONS),
            hint=nearest(name, API_VERSIONS),
        )
    return build_api_version(api_version)


def build_api_version(api_version: ApiVersion) -> GraphQLSchema:
    """Binds the resolvers of an API version. Raises EmulatorDefect for a resolver without a field and the reverse."""
    schema = make_executable_schema(contract(api_version.file).read_text(encoding="utf-8"), *api_version.bindables)
    for graphql_type in _object_types(schema):
        for name, graphql_field in graphql_type.fields.items():
            if graphql_field.resolve is None:
                raise EmulatorDefect(
                    "a field has no resolver",
                    where=f"{graphql_type.name}.{name}",
                    hint="Bind one.",
                )
    return schema


def members_of(schema: GraphQLSchema, enum_name: str) -> frozenset[str]:
    """The members of an enum of the schema."""
    enum = schema.type_map[enum_name]
    if not isinstance(enum, GraphQLEnumType):
        raise EmulatorDefect("the schema has no such enum", where=enum_name)
    return frozenset(enum.values)


def _object_types(schema: GraphQLSchema) -> list[GraphQLObjectType]:
    return [
        graphql_type
        for graphql_type in schema.type_map.values()
        if isinstance(graphql_type, GraphQLObjectType) and not graphql_type.name.startswith("__")
    ]
