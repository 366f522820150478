"""Compares two schemas: what changed, how severe it is, and which parts of the destination it affects.

`comparison.py` finds and rates most changes; here each gets the parts of the destination that use what changed.
Deprecations and `@oneOf` are compared here, as graphql-core's comparison does not have them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLEnumValue,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    get_nullable_type,
    is_required_argument,
    is_required_input_field,
    validate,
)

from emulator.harness.checks.finding import BREAKING, CHANGES, DANGEROUS, SAFE, Finding, change, sentence
from emulator.harness.drift.comparison import SchemaChange, schema_changes
from emulator.harness.drift.usage import Usage

REJECTED: Final = "StackAdapt rejects the whole document and executes nothing in it."
MISREAD: Final = "The response is not what the destination expects."
NEW_MEANING: Final = "The document stays valid, but a value that it omits has another meaning."
DEPRECATED: Final = "It still works, but StackAdapt intends to remove it."

_ARGUMENT = re.compile(r"(.+)\((\w+):\)")

_ADDED_AND_REQUIRED = ("REQUIRED_INPUT_FIELD_ADDED", "REQUIRED_ARG_ADDED")
_CHANGED_KIND = ("FIELD_CHANGED_KIND", "ARG_CHANGED_KIND")
_CHANGED_DEFAULT = ("ARG_DEFAULT_VALUE_CHANGE", "INPUT_FIELD_DEFAULT_VALUE_CHANGE")
# Existing documents cannot use what was added.
_ONLY_ADDED = ("OPTIONAL_INPUT_FIELD_ADDED", "OPTIONAL_ARG_ADDED", "TYPE_ADDED", "FIELD_ADDED", "DIRECTIVE_ADDED")

# The parts of the destination that a change affects, and the consequence for them.
_Impact: TypeAlias = tuple[frozenset[str], str]


def schema_findings(contract: GraphQLSchema, found: GraphQLSchema, usage: Usage) -> list[Finding]:
    """Every change from the contract to the valid schema `found`, worst first.

    Changed descriptions and `@specifiedBy` are left out: they have no effect.
    """
    findings = []
    for each in schema_changes(contract, found):
        impact = _impact(each, contract, found, usage)
        findings.append(_finding(each.severity, each.code, each.place, each.message, *impact))
    findings += _deprecations(contract, found, usage)
    findings += _one_of_changes(contract, found, usage)
    findings += _unexplained(findings, found, usage)
    return sorted(findings, key=lambda each: (CHANGES.index(each.severity), not each.used_by, each.place))


def _finding(severity: str, code: str, place: str, message: str, writers: frozenset[str], why: str = "") -> Finding:
    return change(severity, code, place, sentence(message), why if writers and why else None, tuple(sorted(writers)))


def _impact(changed: SchemaChange, contract: GraphQLSchema, found: GraphQLSchema, usage: Usage) -> _Impact:
    container, name = _parts(changed.place)
    if changed.code in _ONLY_ADDED:
        return frozenset(), ""
    if changed.code in _ADDED_AND_REQUIRED:
        return usage.lacking(container, name), REJECTED
    if changed.code in _CHANGED_DEFAULT:
        return usage.lacking(container, name), NEW_MEANING
    if changed.code in _CHANGED_KIND:
        return _impact_of_type(changed.place, contract, found, usage)
    if changed.code == "VALUE_ADDED_TO_ENUM":
        return usage.reading(container), MISREAD
    if changed.code == "VALUE_REMOVED_FROM_ENUM":
        return usage.of(changed.place), MISREAD if usage.reading(container) else REJECTED
    return usage.of(changed.place), "" if changed.severity == SAFE else REJECTED


def _impact_of_type(coordinate: str, contract: GraphQLSchema, found: GraphQLSchema, usage: Usage) -> _Impact:
    """A changed type in a response affects its readers, in an input its senders. An input that only became required
    affects the documents that omit it.
    """
    before, after = (_input_at(schema, coordinate) for schema in (contract, found))
    if before is None or after is None:
        return usage.of(coordinate), MISREAD
    if str(get_nullable_type(before.type)) != str(get_nullable_type(after.type)):
        return usage.of(coordinate), REJECTED
    required = is_required_argument(after) if isinstance(after, GraphQLArgument) else is_required_input_field(after)
    return usage.lacking(*_parts(coordinate)) if required else frozenset(), REJECTED


def _input_at(schema: GraphQLSchema, coordinate: str) -> GraphQLArgument | GraphQLInputField | None:
    """The argument or input field at a coordinate; None for the field of a response."""
    container, name = _parts(coordinate)
    type_name, _, field_name = container.partition(".")
    named, directive = schema.type_map.get(type_name), schema.get_directive(container.removeprefix("@"))
    inputs: Mapping[str, GraphQLArgument | GraphQLInputField] = {}
    if container.startswith("@") and directive is not None:
        inputs = directive.args
    elif isinstance(named, GraphQLInputObjectType):
        inputs = named.fields
    elif field_name and isinstance(named, GraphQLObjectType | GraphQLInterfaceType):
        inputs = named.fields[field_name].args
    return inputs.get(name)


def _parts(coordinate: str) -> tuple[str, str]:
    """The container at a coordinate, and the name in it."""
    if (argument := _ARGUMENT.fullmatch(coordinate)) is not None:
        return argument[1], argument[2]
    container, _, name = coordinate.rpartition(".")
    return container, name


def _deprecations(contract: GraphQLSchema, found: GraphQLSchema, usage: Usage) -> Iterator[Finding]:
    """Deprecations added or withdrawn, of what is in both schemas."""
    before, after = dict(_reasons(contract)), dict(_reasons(found))
    for path in before.keys() & after.keys():
        reason = after[path]
        if before[path] is None and reason is not None:
            message = f"{path} was deprecated: {' '.join(reason.split())}"
            yield _finding(DANGEROUS, "DEPRECATION_ADDED", path, message, usage.of(path), DEPRECATED)
        elif before[path] is not None and reason is None:
            yield _finding(SAFE, "DEPRECATION_REMOVED", path, f"{path} is no longer deprecated.", usage.of(path))


def _reasons(schema: GraphQLSchema) -> Iterator[tuple[str, str | None]]:
    """The coordinate of everything that can be deprecated, with the reason; None if it is not deprecated."""
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


def _members(named: GraphQLNamedType) -> Mapping[str, GraphQLField | GraphQLInputField | GraphQLEnumValue]:
    members: Mapping[str, GraphQLField | GraphQLInputField | GraphQLEnumValue] = {}
    if isinstance(named, GraphQLEnumType):
        members = named.values
    elif isinstance(named, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
        members = named.fields
    return members


def _one_of_changes(contract: GraphQLSchema, found: GraphQLSchema, usage: Usage) -> Iterator[Finding]:
    """Input types that now accept exactly one field, and the reverse."""
    for name, before in contract.type_map.items():
        after = found.type_map.get(name)
        if not isinstance(before, GraphQLInputObjectType) or not isinstance(after, GraphQLInputObjectType):
            continue
        if after.is_one_of and not before.is_one_of:
            message = f"{name} now accepts exactly one of its fields."
            yield _finding(BREAKING, "ONE_OF_ADDED", name, message, usage.filling_other_than_one(name), REJECTED)
        elif before.is_one_of and not after.is_one_of:
            yield _finding(SAFE, "ONE_OF_REMOVED", name, f"{name} now accepts any of its fields.", usage.of(name))


def _unexplained(findings: list[Finding], found: GraphQLSchema, usage: Usage) -> Iterator[Finding]:
    """Documents that are no longer valid although no breaking change explains why."""
    explained = {writer for each in findings if each.severity == BREAKING for writer in each.used_by or ()}
    for written in usage.written:
        errors = validate(found, written.document) if written.writer not in explained else []
        if errors:
            explained.add(written.writer)
            message = errors[0].message.partition("\n")[0]
            affected = frozenset({written.writer})
            yield _finding(BREAKING, "DOCUMENT_REFUSED", written.writer, message, affected, REJECTED)
