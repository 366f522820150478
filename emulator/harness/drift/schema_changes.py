"""Two schemas side by side: what changed, how bad that is, and what of it the destination feels.

graphql-core finds and rates most changes; here each gets its schema coordinate and the parts of the destination that
use it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from graphql import (
    GraphQLArgument,
    GraphQLInputField,
    GraphQLSchema,
    get_nullable_type,
    is_required_argument,
    is_required_input_field,
    is_specified_scalar_type,
    validate,
)
from graphql.utilities import (
    BreakingChange,
    DangerousChange,
    SchemaChange,
    find_schema_changes,
    resolve_schema_coordinate,
)
from graphql.utilities import BreakingChangeType as Breaking
from graphql.utilities import DangerousChangeType as Dangerous
from graphql.utilities import SafeChangeType as Safe

from emulator.harness.drift.finding import BREAKING, CRITICALITIES, DANGEROUS, REFUSED, SAFE, Finding
from emulator.harness.drift.unrated_changes import deprecation_findings, one_of_findings
from emulator.harness.drift.usage import Usage

MISREAD: Final = "The answer is not what the destination expects to read."
NEW_MEANING: Final = "The document stays valid, but a value that it leaves out means something else."
DOCUMENT_REFUSED: Final = "DOCUMENT_REFUSED"

# How descriptions write a coordinate: a directive or a member, with its argument if that is meant; else a type.
_MEMBER = re.compile(r"(?:@[_A-Za-z]\w*|[_A-Za-z]\w*\.[_A-Za-z]\w*)(?:\([_A-Za-z]\w*:\))?")
_TYPE = re.compile(r"(?:.*(?:from|to) union type |.*interfaces implemented by |Standard scalar )?(\w+)")
_ARGUMENT = re.compile(r"(.+)\((\w+):\)")

_ADDED_AND_REQUIRED = (Breaking.REQUIRED_INPUT_FIELD_ADDED, Breaking.REQUIRED_ARG_ADDED)
_CHANGED_KIND = (Breaking.FIELD_CHANGED_KIND, Breaking.ARG_CHANGED_KIND)
_CHANGED_DEFAULT = (Dangerous.ARG_DEFAULT_VALUE_CHANGE, Dangerous.INPUT_FIELD_DEFAULT_VALUE_CHANGE)
# What nobody uses who was written before it was there.
_ONLY_ADDED = (
    *(Dangerous.OPTIONAL_INPUT_FIELD_ADDED, Dangerous.OPTIONAL_ARG_ADDED),
    *(Safe.TYPE_ADDED, Safe.FIELD_ADDED, Safe.DIRECTIVE_ADDED),
)


@dataclass(frozen=True, slots=True)
class _Felt:
    """Who feels a change, and how."""

    writers: frozenset[str] = frozenset()
    breaks: str = ""


def schema_findings(contract: GraphQLSchema, found: GraphQLSchema, usage: Usage) -> list[Finding]:
    """Every change from the contract to the schema that was found, the worst first.

    Descriptions and `@specifiedBy` only explain and do not count. `found` is a valid schema.
    """
    changes = [change for change in find_schema_changes(contract, found) if _counts(change, contract)]
    findings = [_finding(change, contract, found, usage) for change in changes]
    findings += deprecation_findings(contract, found, usage)
    findings += one_of_findings(contract, found, usage)
    findings += _unexplained(findings, found, usage)
    return sorted(findings, key=lambda each: (CRITICALITIES.index(each.criticality), not each.used_by, each.path))


def _counts(change: SchemaChange, contract: GraphQLSchema) -> bool:
    """A scalar of the language is missing from a schema that has no use for it: its fields are told of anyway."""
    if change.type is Breaking.TYPE_REMOVED:
        return not is_specified_scalar_type(contract.type_map[_coordinate(change)])
    return change.type is not Safe.DESCRIPTION_CHANGED


def _finding(change: SchemaChange, contract: GraphQLSchema, found: GraphQLSchema, usage: Usage) -> Finding:
    coordinate = _coordinate(change)
    felt = _felt(change, coordinate, contract, found, usage)
    return Finding(
        criticality=_criticality(change),
        kind=change.type.name,
        path=coordinate,
        message=change.description,
        used_by=tuple(sorted(felt.writers)),
        breaks=felt.breaks if felt.writers else "",
    )


def _criticality(change: SchemaChange) -> str:
    if isinstance(change, BreakingChange):
        return BREAKING
    return DANGEROUS if isinstance(change, DangerousChange) else SAFE


def _coordinate(change: SchemaChange) -> str:
    """Where a change is. graphql-core tells it in the description only, but there in the form of a coordinate."""
    if (member := _MEMBER.search(change.description)) is not None:
        return member[0]
    named = _TYPE.match(change.description)
    return named[1] if named else change.description


def _felt(change: SchemaChange, coordinate: str, contract: GraphQLSchema, found: GraphQLSchema, usage: Usage) -> _Felt:
    container, name = _parts(coordinate)
    if change.type in _ONLY_ADDED:
        return _Felt()
    if change.type in _ADDED_AND_REQUIRED:
        return _Felt(usage.lacking(container, name), REFUSED)
    if change.type in _CHANGED_DEFAULT:
        return _Felt(usage.lacking(container, name), NEW_MEANING)
    if change.type in _CHANGED_KIND:
        return _felt_kind(coordinate, contract, found, usage)
    if change.type is Dangerous.VALUE_ADDED_TO_ENUM:
        return _Felt(usage.reading(container), MISREAD)
    if change.type is Breaking.VALUE_REMOVED_FROM_ENUM:
        return _Felt(usage.of(coordinate), MISREAD if usage.reading(container) else REFUSED)
    return _Felt(usage.of(coordinate), "" if _criticality(change) == SAFE else REFUSED)


def _felt_kind(coordinate: str, contract: GraphQLSchema, found: GraphQLSchema, usage: Usage) -> _Felt:
    """A changed type: of an answer it concerns who reads it, of an input who sends it. One that only became required
    concerns those who leave it out.
    """
    before, after = (_input_at(schema, coordinate) for schema in (contract, found))
    if before is None or after is None:
        return _Felt(usage.of(coordinate), MISREAD)
    if str(get_nullable_type(before.type)) != str(get_nullable_type(after.type)):
        return _Felt(usage.of(coordinate), REFUSED)
    return _Felt(usage.lacking(*_parts(coordinate)) if _is_required(after) else frozenset(), REFUSED)


def _input_at(schema: GraphQLSchema, coordinate: str) -> GraphQLArgument | GraphQLInputField | None:
    resolved: Any = resolve_schema_coordinate(schema, coordinate)
    place = getattr(resolved, "field_argument", None) or getattr(resolved, "input_field", None)
    return place if isinstance(place, GraphQLArgument | GraphQLInputField) else None


def _is_required(place: GraphQLArgument | GraphQLInputField) -> bool:
    return is_required_argument(place) if isinstance(place, GraphQLArgument) else is_required_input_field(place)


def _parts(coordinate: str) -> tuple[str, str]:
    """What holds the thing at a coordinate, and its name there."""
    if (argument := _ARGUMENT.fullmatch(coordinate)) is not None:
        return argument[1], argument[2]
    container, _, name = coordinate.rpartition(".")
    return container, name


def _unexplained(findings: list[Finding], found: GraphQLSchema, usage: Usage) -> Iterator[Finding]:
    """Documents that are no longer valid although no breaking change says why."""
    explained = {writer for finding in findings if finding.criticality == BREAKING for writer in finding.used_by}
    for written in usage.written:
        errors = validate(found, written.document) if written.writer not in explained else []
        if errors:
            explained.add(written.writer)
            yield Finding(
                criticality=BREAKING,
                kind=DOCUMENT_REFUSED,
                path=written.writer,
                message=errors[0].message.partition("\n")[0],
                used_by=(written.writer,),
                breaks=REFUSED,
            )
