"""Custom properties of a profile: inferred from the mapped object (`v1`), or declared one by one (`v2`).

Inferred types come from the values of the whole batch: a date by its format, otherwise JavaScript's `typeof`. Declared
types come from the first payload alone, and their values are always strings.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from emulator.mapping.actions.columns import STANDARD_NAMES, Column, InferredTypes, custom_column
from emulator.mapping.actions.document import Payload
from emulator.mapping.javascript import UNDEFINED, is_date, member, ordered_items, trim, type_of

_LOOKS_LIKE_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}([/-])[0-9]{1,2}\1[0-9]{4}")
_PROTOTYPE = "__proto__"


def is_declared(payload: Payload) -> bool:
    """Whether a payload declares its custom properties; without a mode they are inferred."""
    return payload.get("custom_properties_mode") == "v2"


def without_reserved(payload: Payload) -> Payload:
    """The payload without inferred properties named like the audience's key or id."""
    traits = payload.get("custom_traits")
    reserved = _reserved(payload)
    if not traits or not any(name in traits for name in reserved):
        return payload
    return {**payload, "custom_traits": {name: value for name, value in traits.items() if name not in reserved}}


def inferred_columns(payloads: Iterable[Payload]) -> list[Column]:
    """A column for each named property of any payload whose value is not an empty string."""
    types = InferredTypes(text="STRING", type_of_value=_type_of)
    for payload in payloads:
        for name, value in ordered_items(payload.get("custom_traits") or {}):
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
