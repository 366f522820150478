"""`@case`: text in upper or lower case."""

from __future__ import annotations

from emulator.mapping.directives.directive import Compiler, Directive, Resolver, failing, nothing, value_parts
from emulator.mapping.directives.rules import a_string, directive_or_string, fields
from emulator.mapping.javascript.values import UNDEFINED, to_lower, to_upper, truthy
from emulator.mapping.mapping_error import directive_error

_CASES = {"lower": to_lower, "upper": to_upper}


def _compile(options: object, compiler: Compiler) -> Resolver:
    if not isinstance(options, dict):
        return failing(directive_error('@case requires an object with a "operator" key'))
    operator = options.get("operator", UNDEFINED)
    if not truthy(operator):
        return failing(directive_error('@case requires a "operator" key'))
    if not truthy(options.get("value", UNDEFINED)):
        return nothing
    value_of = compiler.value(options["value"])
    change = _CASES.get(operator) if isinstance(operator, str) else None

    def resolve(event: object) -> object:
        value = value_of(event)
        if not isinstance(value, str):
            return value
        if change is None:
            raise directive_error('operator key should have a value of "lower" or "upper"')
        return change(value)

    return resolve


CASE = Directive(
    name="@case",
    rule=fields(optional={"operator": a_string, "value": directive_or_string}),
    compile=_compile,
    parts=value_parts("value"),
)
