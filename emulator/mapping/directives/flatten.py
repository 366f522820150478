"""`@flatten`: nested objects and arrays as one object with joined keys."""

from __future__ import annotations

from collections.abc import Iterator

from emulator.mapping.directives.directive import Compiler, Directive, Resolver, failing, missing_option, value_parts
from emulator.mapping.directives.rules import a_string, directive_or_json, ordered_fields
from emulator.mapping.engine_errors import directive_error
from emulator.mapping.javascript import UNDEFINED, ordered_items, truthy


def flattened(value: object, prefix: str, separator: str, *, keep_lists: bool) -> Iterator[tuple[str, object]]:
    """Pairs of joined key and leaf. Empty objects and arrays are omitted; a scalar at the root has the key `""`."""
    members = _members(value, keep_lists=keep_lists)
    if members is None:
        yield prefix, value
        return
    for key, member in members:
        joined = f"{prefix}{separator}{key}" if prefix else key
        yield from flattened(member, joined, separator, keep_lists=keep_lists)


def _members(value: object, *, keep_lists: bool) -> Iterator[tuple[str, object]] | None:
    if isinstance(value, dict):
        return ordered_items(value)
    if isinstance(value, list) and not keep_lists:
        return ((str(position), item) for position, item in enumerate(value))
    return None


def _compile(options: object, compiler: Compiler) -> Resolver:
    problem = missing_option("@flatten", options, 'an object with a "separator" key', "separator")
    if problem or not isinstance(options, dict):
        return failing(directive_error(str(problem)))
    separator_of = compiler.value(options["separator"])
    value_of = compiler.value(options.get("value", UNDEFINED))
    keep_lists = truthy(options.get("omitArrays", UNDEFINED))

    def resolve(event: object) -> object:
        separator = separator_of(event)
        if not isinstance(separator, str):
            raise directive_error("@flatten requires a string separator")
        return dict(flattened(value_of(event), "", separator, keep_lists=keep_lists))

    return resolve


FLATTEN = Directive(
    name="@flatten",
    rule=ordered_fields(("separator", a_string, False), ("value", directive_or_json, True)),
    compile=_compile,
    parts=value_parts("separator", "value"),
)
