"""Columns of a profile mapping: the eleven standard and the custom ones of 3.497.0, and inferred types."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeAlias

from emulator.mapping.actions.document import graphql_object
from emulator.mapping.javascript import UNDEFINED, member, trim, truthy, type_of

Column: TypeAlias = Mapping[str, object]

_WORD_START = re.compile(r"\b\w", re.ASCII)


def column(name: str, label: str, type_: object, *, pii: bool = False) -> Column:
    """A column with the same name on both sides. The document omits an undefined type."""
    return {"incomingKey": name, "destinationKey": name, "label": label, "type": type_, "isPii": pii}


STANDARD_COLUMNS = (
    column("email", "Email", "STRING", pii=True),
    column("first_name", "First Name", "STRING", pii=True),
    column("last_name", "Last Name", "STRING", pii=True),
    column("phone", "Phone", "STRING", pii=True),
    column("address", "Address", "STRING", pii=True),
    column("city", "City", "STRING"),
    column("state", "State", "STRING"),
    column("country", "Country", "STRING"),
    column("postal_code", "Postal Code", "STRING"),
    column("timezone", "Timezone", "STRING"),
    column("birth_date", "Birth Date", "DATE", pii=True),
)
_STANDARD_TEXT = ",".join(graphql_object(standard, bare="type") for standard in STANDARD_COLUMNS)
STANDARD_NAMES = frozenset(str(standard["incomingKey"]) for standard in STANDARD_COLUMNS)
_AUDIENCE_COLUMNS = tuple(
    {"incomingKey": name, "destinationKey": destination, "type": "STRING", "label": label, "isPii": False}
    for name, destination, label in (
        ("audienceId", "external_id", "External Audience ID"),
        ("audienceName", "name", "External Audience Name"),
    )
)
AUDIENCE_COLUMNS_TEXT = "[" + ",".join(graphql_object(audience, bare="type") for audience in _AUDIENCE_COLUMNS) + "]"


def columns_text(custom: Iterable[Column]) -> str:
    """The standard and the custom columns as a GraphQL list."""
    return f"[{','.join([_STANDARD_TEXT, *(graphql_object(added, bare='type') for added in custom)])}]"


def custom_column(name: str, type_: object) -> Column:
    """The column of a custom property: `plan_tier` has the label `Plan Tier`."""
    label = _WORD_START.sub(lambda first: first.group().upper(), trim(name.replace("_", " ")))
    return column(name, f"External {label}" if name.startswith("audience") else label, type_)


class InferredTypes:
    """Column types by name, in first-seen order, inferred from the values of a batch.

    A column of two types is a string, and so is one with only null, false and empty values. The engine keeps the types
    in a JavaScript object: an inherited name (`toString`) counts as typed from the start, and has no type without
    a value.
    """

    def __init__(self, *, text: str, type_of_value: Callable[[object], str]) -> None:
        self._text = text
        self._type_of_value = type_of_value
        self._types: dict[str, str | None] = {}

    def add(self, name: str, value: object) -> None:
        if not truthy(value) and type_of(value) != "number":
            self._types.setdefault(name, None)
            return
        known, found = self._types.get(name) or member({}, name), self._type_of_value(value)
        self._types[name] = self._text if known is not UNDEFINED and known != found else found

    def items(self) -> Iterator[tuple[str, object]]:
        """Name and type of each column; undefined is the type of an inherited name without a value."""
        for name, found in self._types.items():
            yield name, found or (self._text if member({}, name) is UNDEFINED else UNDEFINED)
