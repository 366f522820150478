"""The API versions of the schema that the emulator serves, each field bound to its resolver.

A module of `resolvers` lists what it binds in `BINDABLES`, or in `BINDABLES_2026` for what only the schema of 2026 has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType
from typing import Final

from ariadne import ObjectType, SchemaBindable, make_executable_schema
from graphql import GraphQLEnumType, GraphQLObjectType, GraphQLSchema, build_schema

from emulator.artefacts import contract_text
from emulator.errors import EmulatorDefect, nearest, unknown
from emulator.stackadapt.graphql import resolvers
from emulator.stackadapt.graphql.resolvers.fields import member

LATEST: Final = "2026-06"
# The endings of the types whose fields are members of the parent and need no resolver of their own.
_PLAIN_TYPES: Final = ("Payload", "Connection", "Edge", "CustomSegment")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiVersion:
    """A dated schema under `contracts/`, and the lists of the resolver modules that are bound to it."""

    file: str
    lists: Sequence[str]


API_VERSIONS: Final[Mapping[str, ApiVersion]] = MappingProxyType(
    {
        LATEST: ApiVersion(file="stackadapt/2026-06/schema.graphql", lists=("BINDABLES", "BINDABLES_2026")),
        "2025-05": ApiVersion(file="stackadapt/2025-05/schema.graphql", lists=("BINDABLES",)),
        "2024-12": ApiVersion(file="stackadapt/2024-12/schema.graphql", lists=("BINDABLES",)),
    }
)


@cache
def executable_schema(name: str) -> GraphQLSchema:
    """The schema of an API version with its resolvers, built once per process.

    Raises UnknownName for an unknown API version, EmulatorDefect when schema and resolvers do not match.
    """
    api_version = API_VERSIONS.get(name)
    if api_version is None:
        raise unknown("API version", name, API_VERSIONS, where="apiVersion")
    return bind(contract_text(api_version.file), bindables_of(api_version))


def bindables_of(api_version: ApiVersion) -> list[SchemaBindable]:
    """Everything that the modules of `resolvers` bind to the schema of an API version."""
    modules = [import_module(f"{resolvers.__name__}.{module.name}") for module in iter_modules(resolvers.__path__)]
    return [each for module in modules for name in api_version.lists for each in getattr(module, name, ())]


def bind(sdl: str, bindables: Sequence[SchemaBindable]) -> GraphQLSchema:
    """An executable schema. Raises EmulatorDefect for a resolver without a field, or a field with none or two."""
    seen: set[tuple[str, str]] = set()
    for key in _bound_fields(bindables):
        if key in seen:
            raise EmulatorDefect("a field has two resolvers", where=".".join(key))
        seen.add(key)
    try:
        schema = make_executable_schema(sdl, *bindables)
    except ValueError as error:
        raise _mismatch(build_schema(sdl), bindables, error) from None
    for type_name, graphql_type in schema.type_map.items():
        if isinstance(graphql_type, GraphQLObjectType) and not type_name.startswith("__"):
            for name, graphql_field in graphql_type.fields.items():
                if graphql_field.resolve is None and type_name.endswith(_PLAIN_TYPES):
                    graphql_field.resolve = member(name)
                elif graphql_field.resolve is None:
                    raise EmulatorDefect("a field has no resolver", where=f"{type_name}.{name}")
    return schema


def members_of(schema: GraphQLSchema, enum_name: str) -> frozenset[str]:
    """The members of an enum of the schema."""
    enum = schema.type_map.get(enum_name)
    if not isinstance(enum, GraphQLEnumType):
        raise EmulatorDefect("the schema does not have this enum", where=enum_name)
    return frozenset(enum.values)


def _bound_fields(bindables: Sequence[SchemaBindable]) -> Iterator[tuple[str, str]]:
    for bindable in bindables:
        if isinstance(bindable, ObjectType):
            # Ariadne has no public list of them.
            yield from ((bindable.name, field) for field in bindable._resolvers)


def _mismatch(schema: GraphQLSchema, bindables: Sequence[SchemaBindable], error: ValueError) -> EmulatorDefect:
    """Ariadne's error, with the place and the nearest name where a type or field is not in the schema."""
    for type_name, field in _bound_fields(bindables):
        graphql_type = schema.type_map.get(type_name)
        if not isinstance(graphql_type, GraphQLObjectType):
            return EmulatorDefect(str(error), where=type_name, hint=nearest(type_name, schema.type_map))
        if field not in graphql_type.fields:
            return EmulatorDefect(str(error), where=f"{type_name}.{field}", hint=nearest(field, graphql_type.fields))
    return EmulatorDefect(str(error))
