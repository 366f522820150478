"""`@case`: a string in upper or lower case."""

from __future__ import annotations

from emulator.mapping.directives.directive import (
    Compiler,
    Directive,
    Resolver,
    failing,
    missing_option,
    nothing,
    value_parts,
)
from emulator.mapping.directives.rules import a_string, directive_or_string, fields
from emulator.mapping.engine_errors import directive_error
from emulator.mapping.javascript import UNDEFINED, truthy

_CASES = {"lower": str.lower, "upper": str.upper}


def _compile(options: object, compiler: Compiler) -> Resolver:
    problem = missing_option("@case", options, 'an object with a "operator" key', "operator")
    if problem or not isinstance(options, dict):
        return failing(directive_error(str(problem)))
    operator = options["operator"]
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
