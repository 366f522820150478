"""The changes of a schema that graphql-core neither finds nor rates: deprecations, and input types of one member."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from graphql import (
    GraphQLEnumType,
    GraphQLEnumValue,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
)

from emulator.harness.drift.finding import BREAKING, DANGEROUS, REFUSED, SAFE, Finding
from emulator.harness.drift.usage import Usage

LEAVING: Final = "It works as before, but StackAdapt means to take it away."

_Members = Mapping[str, GraphQLField | GraphQLInputField | GraphQLEnumValue]


def deprecation_findings(contract: GraphQLSchema, found: GraphQLSchema, usage: Usage) -> Iterator[Finding]:
    """What is deprecated now and was not, and the reverse. What is new or gone is no matter here."""
    before, after = dict(_reasons(contract)), dict(_reasons(found))
    for path in before.keys() & after.keys():
        reason, users = after[path], tuple(sorted(usage.of(path)))
        if before[path] is None and reason is not None:
            yield Finding(
                criticality=DANGEROUS,
                kind="DEPRECATION_ADDED",
                path=path,
                message=f"{path} was deprecated: {' '.join(reason.split())}",
                used_by=users,
                breaks=LEAVING if users else "",
            )
        elif before[path] is not None and reason is None:
            message = f"{path} is no longer deprecated."
            yield Finding(criticality=SAFE, kind="DEPRECATION_REMOVED", path=path, message=message, used_by=users)


def one_of_findings(contract: GraphQLSchema, found: GraphQLSchema, usage: Usage) -> Iterator[Finding]:
    """Input types that take exactly one member now and took any, and the reverse."""
    for name, before in contract.type_map.items():
        after = found.type_map.get(name)
        if not isinstance(before, GraphQLInputObjectType) or not isinstance(after, GraphQLInputObjectType):
            continue
        if after.is_one_of and not before.is_one_of:
            users = tuple(sorted(usage.filling_other_than_one(name)))
            yield Finding(
                criticality=BREAKING,
                kind="ONE_OF_ADDED",
                path=name,
                message=f"{name} takes exactly one of its fields now.",
                used_by=users,
                breaks=REFUSED if users else "",
            )
        elif before.is_one_of and not after.is_one_of:
            message = f"{name} takes any of its fields now."
            used_by = tuple(sorted(usage.of(name)))
            yield Finding(criticality=SAFE, kind="ONE_OF_REMOVED", path=name, message=message, used_by=used_by)


def _reasons(schema: GraphQLSchema) -> Iterator[tuple[str, str | None]]:
    """The coordinate of everything that can be deprecated, and why it is; None for what is not."""
    for name, named in schema.type_map.items():
        for member_name, member in _members(named).items():
            coordinate = f"{name}.{member_name}"
            yield coordinate, member.deprecation_reason
            if isinstance(member, GraphQLField):
                for argument_name, argument in member.args.items():
                    yield f"{coordinate}({argument_name}:)", argument.deprecation_reason
    for directive in schema.directives:
        for argument_name, argument in directive.args.items():
            yield f"@{directive.name}({argument_name}:)", argument.deprecation_reason


def _members(named: GraphQLNamedType) -> _Members:
    members: _Members = {}
    if isinstance(named, GraphQLEnumType):
        members = named.values
    elif isinstance(named, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
        members = named.fields
    return members
