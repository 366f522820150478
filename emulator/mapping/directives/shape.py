"""Directives for objects: `@merge` (the last one wins, with direction `left` the first), `@flatten`, `@transform`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from emulator.mapping.directives.directive import (
    Check,
    Compiler,
    Directive,
    Part,
    Place,
    Resolver,
    check_length,
    required_options,
    value_parts,
    with_options,
)
from emulator.mapping.directives.rules import a_string, an_array, directive_or_json, directive_or_object, fields, one_of
from emulator.mapping.engine_errors import directive_error
from emulator.mapping.javascript.values import UNDEFINED, ordered, ordered_items, truthy, type_of, utf16_units

_options_rule = fields(("direction", one_of("left", "right"), False), ("objects", an_array, True))


def _merge_rule(options: object, place: Place, check: Check) -> None:
    _options_rule(options, place, check)
    members = options["objects"] if isinstance(options, dict) else []
    for member in members:
        # The engine drops the path here: errors of an element start at the root.
        directive_or_object(member, (), check)


def own_members(value: object) -> dict[str, object]:
    """What `Object.assign` copies from a value: members, or items and characters by index."""
    if isinstance(value, dict):
        return {key: member for key, member in ordered(value).items() if key != "__proto__"}
    items = utf16_units(value) if isinstance(value, str) else value
    return {str(position): item for position, item in enumerate(items)} if isinstance(items, list) else {}


_MERGE_OPTIONS = required_options(
    "@merge", 'an object with an "objects" key and a "direction" key', "direction", "objects"
)


def _merge_problem(options: object) -> str | None:
    problem = _MERGE_OPTIONS(options)
    if not problem and isinstance(options, dict) and not isinstance(options["objects"], list):
        return f"@merge: expected opts.array, got {type_of(options['objects'])}"
    return problem


@with_options(_merge_problem)
def _compile_merge(options: dict[str, Any], compiler: Compiler) -> Resolver:
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


def _merge_parts(options: object, event: object, _compiler: Compiler) -> Iterator[Part]:
    if _merge_problem(options) or not isinstance(options, dict):
        return
    for position, mapping in enumerate(options["objects"]):
        yield Part(role=str(position), mapping=mapping, against=event)


MERGE = Directive(name="@merge", rule=_merge_rule, compile=_compile_merge, parts=_merge_parts)


def flattened(value: object, prefix: str, separator: str, *, keep_lists: bool) -> Iterator[tuple[str, object]]:
    """Pairs of joined key and leaf. Empty objects and arrays are omitted; a scalar at the root has the key `""`."""
    if isinstance(value, dict):
        members = ordered_items(value)
    elif isinstance(value, list) and not keep_lists:
        members = ((str(position), item) for position, item in enumerate(value))
    else:
        yield prefix, value
        return
    for key, member in members:
        joined = f"{prefix}{separator}{key}" if prefix else key
        yield from flattened(member, joined, separator, keep_lists=keep_lists)


def _flat(pairs: Iterator[tuple[str, object]]) -> dict[str, object]:
    """The object of the pairs. Raises MappingError where its keys are too long together.

    Each key contains the separator once a level.
    """
    found: dict[str, object] = {}
    characters = 0
    for key, member in pairs:
        characters += len(key)
        check_length("@flatten", characters)
        found[key] = member
    return found


@with_options(required_options("@flatten", 'an object with a "separator" key', "separator"))
def _compile_flatten(options: dict[str, Any], compiler: Compiler) -> Resolver:
    separator_of = compiler.value(options["separator"])
    value_of = compiler.value(options.get("value", UNDEFINED))
    keep_lists = truthy(options.get("omitArrays", UNDEFINED))

    def resolve(event: object) -> object:
        separator = separator_of(event)
        if not isinstance(separator, str):
            raise directive_error("@flatten requires a string separator")
        return _flat(flattened(value_of(event), "", separator, keep_lists=keep_lists))

    return resolve


FLATTEN = Directive(
    name="@flatten",
    rule=fields(("separator", a_string, False), ("value", directive_or_json, True)),
    compile=_compile_flatten,
    parts=value_parts("separator", "value"),
)


_TRANSFORM_OPTIONS = required_options(
    "@transform", 'an object with an "apply" key and a "mapping" key', "mapping", "apply"
)


def _transform_problem(options: object) -> str | None:
    problem = _TRANSFORM_OPTIONS(options)
    if not problem and isinstance(options, dict) and not isinstance(options["apply"], dict):
        return '@transform "apply" key should be an object'
    return problem


@with_options(_transform_problem)
def _compile_transform(options: dict[str, Any], compiler: Compiler) -> Resolver:
    apply = compiler.whole(options["apply"])
    mapping = compiler.value(options["mapping"])
    return lambda event: mapping(apply(event))


def _transform_parts(options: object, event: object, compiler: Compiler) -> Iterator[Part]:
    if _transform_problem(options) or not isinstance(options, dict):
        return
    yield Part(role="apply", mapping=options["apply"], against=event)
    yield Part(role="mapping", mapping=options["mapping"], against=compiler.whole(options["apply"])(event))


TRANSFORM = Directive(
    name="@transform",
    rule=fields(("apply", directive_or_object, True), ("mapping", directive_or_object, True)),
    compile=_compile_transform,
    parts=_transform_parts,
)
