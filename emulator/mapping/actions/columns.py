"""Columns of a profile mapping: standard and custom ones of 3.497.0, and types inferred from values.

Custom properties are inferred from the mapped object (`v1`), or declared one by one (`v2`). Inferred types come from
the values of the whole batch: a date by its format, otherwise JavaScript's `typeof`. Declared types come from the first
payload alone, and their values are always strings.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from emulator.mapping.actions.document import Payload, graphql_object
from emulator.mapping.javascript.date_parse import is_date
from emulator.mapping.javascript.prototypes import member
from emulator.mapping.javascript.values import UNDEFINED, ordered_items, trim, truthy, type_of

Column: TypeAlias = Mapping[str, object]

_WORD_START = re.compile(r"\b\w", re.ASCII)


def _column(name: str, label: str, type_: object, *, pii: bool = False) -> Column:
    """A column with the same name on both sides. The document omits an undefined type."""
    return {"incomingKey": name, "destinationKey": name, "label": label, "type": type_, "isPii": pii}


def _label(name: str) -> str:
    return _WORD_START.sub(lambda first: first.group().upper(), trim(name.replace("_", " ")))


_PII = ("email", "first_name", "last_name", "phone", "address")
_STANDARD_COLUMNS = (
    *(_column(name, _label(name), "STRING", pii=True) for name in _PII),
    *(_column(name, _label(name), "STRING") for name in ("city", "state", "country", "postal_code", "timezone")),
    _column("birth_date", "Birth Date", "DATE", pii=True),
)
_STANDARD_TEXT = ",".join(graphql_object(standard) for standard in _STANDARD_COLUMNS)
STANDARD_NAMES = frozenset(str(standard["incomingKey"]) for standard in _STANDARD_COLUMNS)
AUDIENCE_COLUMNS = (
    ("audienceId", "external_id", "External Audience ID"),
    ("audienceName", "name", "External Audience Name"),
)
_AUDIENCE_COLUMNS = tuple(
    {"incomingKey": name, "destinationKey": destination, "type": "STRING", "label": label, "isPii": False}
    for name, destination, label in AUDIENCE_COLUMNS
)
AUDIENCE_COLUMNS_TEXT = "[" + ",".join(graphql_object(audience) for audience in _AUDIENCE_COLUMNS) + "]"


def columns_text(custom: Iterable[Column]) -> str:
    """The standard and the custom columns as a GraphQL list."""
    return f"[{','.join([_STANDARD_TEXT, *(graphql_object(added) for added in custom)])}]"


def custom_column(name: str, type_: object) -> Column:
    """The column of a custom property: `plan_tier` has the label `Plan Tier`."""
    return _column(name, f"External {_label(name)}" if name.startswith("audience") else _label(name), type_)


class InferredTypes:
    """Column types by name, in first-seen order, inferred from the values of a batch.

    A column of two types is a string, and so is one with only null, false and empty values. The engine keeps the types
    in a JavaScript object: an inherited name (`toString`) is typed from the start, but has no type without a value.
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


_LOOKS_LIKE_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}([/-])[0-9]{1,2}\1[0-9]{4}")
_PROTOTYPE = "__proto__"


def is_declared(payload: Payload) -> bool:
    """Whether a payload declares its custom properties; without a mode they are inferred."""
    return payload.get("custom_properties_mode") == "v2"


def without_reserved(payload: Payload) -> Payload:
    """The payload without inferred properties named like the audience's key or id."""
    traits = payload.get("custom_traits")
    if not traits:
        return payload
    reserved = _reserved(payload)
    if not any(name in traits for name in reserved):
        return payload
    return {**payload, "custom_traits": {name: value for name, value in traits.items() if name not in reserved}}


def inferred_columns(payloads: Iterable[Payload]) -> list[Column]:
    """A column for each named property of any payload whose value is not an empty string."""
    types = InferredTypes(text="STRING", type_of_value=_type_of)
    for traits in filter(None, (payload.get("custom_traits") for payload in payloads)):
        for name, value in ordered_items(traits):
            if name and value != "" and name not in STANDARD_NAMES:
                types.add(name, value)
    return [custom_column(name, type_) for name, type_ in types.items()]


def _type_of(value: object) -> str:
    if isinstance(value, str) and _LOOKS_LIKE_DATE.match(value) and is_date(value):
        return "DATE"
    return type_of(value).upper()


def declared_columns(payload: Payload) -> list[Column]:
    """A column for each property that the payload declares; the first declaration of a name counts."""
    types: dict[str, object] = {}
    for name, item in _declared(payload):
        if name not in STANDARD_NAMES:
            types.setdefault(name, _declared_type(name, item))
    return [custom_column(name, type_) for name, type_ in types.items()]


def declared_members(payload: Payload) -> Iterator[tuple[str, Any]]:
    """The declared properties of a profile; one without a value is undefined, `__proto__` is left out."""
    return ((name, item.get("value", UNDEFINED)) for name, item in _declared(payload) if name != _PROTOTYPE)


def _declared(payload: Payload) -> Iterator[tuple[str, dict[str, Any]]]:
    reserved = _reserved(payload)
    for item in payload.get("custom_user_properties") or ():
        name = trim(item["name"])
        if name and name not in reserved:
            yield name, item


def _declared_type(name: str, item: dict[str, Any]) -> object:
    """The declared type; an inherited name has none, and `__proto__` an empty object."""
    if name == _PROTOTYPE:
        return "{}"
    return item["type"] if member({}, name) is UNDEFINED else UNDEFINED


def _reserved(payload: Payload) -> Sequence[str]:
    return payload["segment_computation_key"], payload["segment_computation_id"]
