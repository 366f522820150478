"""`@literal` and `@excludeWhenNull`: a fixed value, and a value without its nulls."""

from __future__ import annotations

from emulator.mapping.directives.directive import Compiler, Directive, Resolver, whole_part
from emulator.mapping.directives.rules import directive_or_json
from emulator.mapping.javascript import UNDEFINED


def without_nulls(value: object) -> object:
    """The value with null members undefined at every depth of objects; arrays are unchanged."""
    if not isinstance(value, dict):
        return value
    return {key: UNDEFINED if member is None else without_nulls(member) for key, member in value.items()}


def _compile_literal(options: object, compiler: Compiler) -> Resolver:
    # Directives inside a literal are resolved anyway.
    return compiler.value(options)


def _compile_exclude_when_null(options: object, compiler: Compiler) -> Resolver:
    value_of = compiler.value(options)

    def resolve(event: object) -> object:
        value = value_of(event)
        return UNDEFINED if value is None else without_nulls(value)

    return resolve


LITERAL = Directive(name="@literal", rule=directive_or_json, compile=_compile_literal, parts=whole_part)
EXCLUDE_WHEN_NULL = Directive(
    name="@excludeWhenNull", rule=directive_or_json, compile=_compile_exclude_when_null, parts=whole_part
)
