"""`@merge`: several objects in one; the last wins, with direction `left` the first."""

from __future__ import annotations

from collections.abc import Iterator

from emulator.mapping.directives.directive import (
    Check,
    Compiler,
    Directive,
    Part,
    Place,
    Resolver,
    failing,
    missing_option,
)
from emulator.mapping.directives.rules import an_array, directive_or_object, one_of, ordered_fields
from emulator.mapping.engine_errors import directive_error
from emulator.mapping.javascript import ordered, type_of, utf16_units

_options_rule = ordered_fields(("direction", one_of("left", "right"), False), ("objects", an_array, True))


def _rule(options: object, place: Place, check: Check) -> None:
    _options_rule(options, place, check)
    members = options["objects"] if isinstance(options, dict) else []
    for member in members:
        # The engine drops the path here: errors of an element start at the root.
        directive_or_object(member, (), check)


def own_members(value: object) -> dict[str, object]:
    """What `Object.assign` copies from a value: members, or items and characters by index."""
    if isinstance(value, dict):
        return {key: member for key, member in ordered(value).items() if key != "__proto__"}
    if isinstance(value, str):
        return {str(position): unit for position, unit in enumerate(utf16_units(value))}
    if isinstance(value, list):
        return {str(position): item for position, item in enumerate(value)}
    return {}


def _problem(options: object) -> str | None:
    required = 'an object with an "objects" key and a "direction" key'
    problem = missing_option("@merge", options, required, "direction", "objects")
    if not problem and isinstance(options, dict) and not isinstance(options["objects"], list):
        return f"@merge: expected opts.array, got {type_of(options['objects'])}"
    return problem


def _compile(options: object, compiler: Compiler) -> Resolver:
    problem = _problem(options)
    if problem or not isinstance(options, dict):
        return failing(directive_error(str(problem)))
    direction = compiler.value(options["direction"])
    objects = [compiler.value(mapping) for mapping in options["objects"]]

    def resolve(event: object) -> object:
        # Only lower-case `left` reverses the order, although validation accepts any letter case.
        first_wins = direction(event) == "left"
        resolved = [each(event) for each in objects]
        merged: dict[str, object] = {}
        for value in reversed(resolved) if first_wins else resolved:
            merged.update(own_members(value))
        return merged

    return resolve


def _parts(options: object, event: object, _compiler: Compiler) -> Iterator[Part]:
    if _problem(options) or not isinstance(options, dict):
        return
    for position, mapping in enumerate(options["objects"]):
        yield Part(role=str(position), mapping=mapping, against=event)


MERGE = Directive(name="@merge", rule=_rule, compile=_compile, parts=_parts)
