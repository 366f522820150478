"""Validation of a mapping before any event.

As in the engine, items of arrays and members of objects under `@literal` are not validated: they fail when an event is
resolved.
"""

from __future__ import annotations

from functools import partial

from emulator.mapping.directives import DIRECTIVES
from emulator.mapping.directives.directive import Place
from emulator.mapping.directives.rules import gather, option_type
from emulator.mapping.engine_errors import invalid
from emulator.mapping.javascript import ordered_items

METADATA = "_metadata"


def check_mapping(mapping: object, place: Place = ()) -> None:
    """Raises MappingError for an invalid mapping; mistakes in the members of an object are collected."""
    if not isinstance(mapping, dict):
        return
    if option_type(mapping) == "directive":
        _check_directive(mapping, place)
        return
    gather(partial(check_mapping, member, (*place, key)) for key, member in ordered_items(mapping))


def _check_directive(mapping: dict[str, object], place: Place) -> None:
    names = [key for key in mapping if key.startswith("@")]
    others = [key for key in mapping if not key.startswith("@") and key != METADATA]
    if len(names) > 1:
        raise invalid(place, f"should only have one @-prefixed key but it has {len(names)} keys")
    if others:
        raise invalid(place, f"should only have one @-prefixed key but it has {len(mapping)} keys")
    name = names[0]
    if name not in DIRECTIVES:
        raise invalid(place, f"has an invalid directive: {name}")
    DIRECTIVES[name].rule(mapping[name], (*place, name), check_mapping)
