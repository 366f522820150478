"""What a request carries: the root fields it asks for and the records in their arguments, read before anything runs.

Faults look at it to find their request, the journal to be found again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import DocumentNode, FieldNode, OperationDefinitionNode, OperationType
from graphql.utilities import value_from_ast_untyped

from emulator.faults import RequestSummary
from emulator.stackadapt.graphql.document import root_fields
from emulator.stackadapt.rules.emails import LONGEST

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldContents:
    """One root field with what its arguments name. `records` are the profiles of `upsertProfiles`, decoded."""

    operation: str
    advertiser_ids: tuple[str, ...]
    emails: tuple[str, ...]
    records: tuple[Record, ...]


def contents_of(
    document: DocumentNode, operation: OperationDefinitionNode, variables: Mapping[str, Any]
) -> list[FieldContents]:
    """What each root field carries, in document order. Arguments that cannot be read count as absent."""
    return [_carried(field, variables) for field in root_fields(document, operation)]


def summary_of(operation: OperationDefinitionNode, carried: list[FieldContents]) -> RequestSummary:
    """What a rule of a fault looks at."""
    return RequestSummary(
        operations=tuple(each.operation for each in carried),
        mutates=operation.operation is OperationType.MUTATION,
        advertiser_ids=_once(name for each in carried for name in each.advertiser_ids),
        emails=_once(email for each in carried for email in each.emails),
    )


def _carried(field: FieldNode, variables: Mapping[str, Any]) -> FieldContents:
    arguments = {argument.name.value: _value(argument.value, variables) for argument in field.arguments or ()}
    given = arguments.get("input")
    if not isinstance(given, dict):
        given = arguments
    records = _records(given.get("profiles"))
    return FieldContents(
        operation=field.name.value,
        advertiser_ids=_once(_texts([given.get("advertiserId"), *_items(given.get("advertiserIds"))])),
        emails=_once([*_texts([given.get("email"), *_items(given.get("emails"))]), *_addresses(records)]),
        records=records,
    )


def _value(node: Any, variables: Mapping[str, Any]) -> Any:
    try:
        return value_from_ast_untyped(node, dict(variables))
    except ValueError:
        # A number with more digits than Python reads.
        return None


def _records(profiles: Any) -> tuple[Record, ...]:
    if isinstance(profiles, str):
        try:
            profiles = json.loads(profiles)
        except (ValueError, RecursionError):
            return ()
    return tuple(record for record in _items(profiles) if isinstance(record, dict))


def _addresses(records: tuple[Record, ...]) -> Iterator[str]:
    """Whatever looks like an email: a profile mapping may take it from any key."""
    for record in records:
        for value in record.values():
            if isinstance(value, str) and "@" in value and len(value) <= LONGEST:
                yield value


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _texts(values: list[Any]) -> Iterator[str]:
    """Texts, and whole numbers as texts, as an `ID` takes them."""
    return (str(value) for value in values if isinstance(value, str | int) and not isinstance(value, bool))


def _once(values: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))
