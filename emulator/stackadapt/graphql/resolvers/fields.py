"""Shapes of resolvers: plain fields that stand in their parent, connections and mutations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ariadne import ObjectType
from graphql import GraphQLNamedType, GraphQLObjectType

from emulator.errors import EmulatorDefect, nearest
from emulator.stackadapt.graphql.context import Info, RequestContext
from emulator.stackadapt.rules.user_errors import Refusal, payload

Resolver = Callable[..., Any]
Mutation = Callable[[RequestContext, Mapping[str, Any]], dict[str, Any]]


class Fields(ObjectType):
    """The resolvers of some fields of one object type. Binding fails on what the schema does not have."""

    def validate_graphql_type(self, graphql_type: GraphQLNamedType | None) -> None:
        if not isinstance(graphql_type, GraphQLObjectType):
            raise EmulatorDefect("the schema has no such object type", where=self.name)

    def bind_resolvers_to_graphql_type(self, graphql_type: Any, replace_existing: bool = True) -> None:
        for name, resolver in self._resolvers.items():
            field = graphql_type.fields.get(name)
            if field is None:
                raise EmulatorDefect(
                    "a resolver has no field in the schema",
                    where=f"{self.name}.{name}",
                    hint=nearest(name, graphql_type.fields),
                )
            if field.resolve is not None:
                raise EmulatorDefect("a field has two resolvers", where=f"{self.name}.{name}")
            field.resolve = resolver


def plain(type_name: str, *fields: str) -> Fields:
    """A type whose fields are keys of the parent mapping; a key that is not there is null."""
    bindable = Fields(type_name)
    for field in fields:
        bindable.set_field(field, _key(field))
    return bindable


def connection_types(name: str) -> list[Fields]:
    """`<name>Connection` and `<name>Edge`."""
    return [
        plain(f"{name}Connection", "edges", "nodes", "pageInfo", "totalCount"),
        plain(f"{name}Edge", "cursor", "node"),
    ]


def payload_type(name: str, *fields: str) -> Fields:
    """A mutation's payload: `clientMutationId`, `userErrors`, and more fields."""
    return plain(name, "clientMutationId", "userErrors", *fields)


def mutation(rule: Mutation) -> Resolver:
    """A root field of Mutation: answers a fault's user error, the rule's payload, or the user errors it refuses with.

    `rule` gets the context and the arguments: the members of `input` where the field has one.
    """

    def resolve(_parent: Any, info: Info, **arguments: Any) -> dict[str, Any]:
        context = info.context
        given: Mapping[str, Any] = arguments.get("input", arguments)
        echo = given.get("clientMutationId")
        fault = context.fault_on(info.field_name)
        if fault is not None:
            return payload([fault], client_mutation_id=echo)
        try:
            return {**rule(context, given), "clientMutationId": echo}
        except Refusal as refused:
            return payload(refused.user_errors, client_mutation_id=echo)

    return resolve


def _key(field: str) -> Resolver:
    def resolve(parent: Mapping[str, Any], _info: Info) -> Any:
        return parent.get(field)

    return resolve
