"""`@json`: a value encoded as JSON, or decoded."""

from __future__ import annotations

from emulator.mapping.directives.directive import (
    Compiler,
    Directive,
    Resolver,
    discarding,
    failing,
    missing_option,
    value_parts,
)
from emulator.mapping.directives.rules import directive_or_json, fields, one_of
from emulator.mapping.engine_errors import directive_error
from emulator.mapping.javascript import parse_json, stringify


def _decoded(value: object) -> object:
    """The parsed string; invalid JSON and other types stay unchanged."""
    if not isinstance(value, str):
        return value
    try:
        return parse_json(value)
    except ValueError:
        return value


# Validation accepts any letter case, the engine only these.
_MODES = {"encode": stringify, "decode": _decoded}


def _compile(options: object, compiler: Compiler) -> Resolver:
    problem = missing_option("@json", options, 'an object with a "value" key', "mode", "value")
    if problem or not isinstance(options, dict):
        return failing(directive_error(str(problem)))
    value_of = compiler.value(options["value"])
    mode = options["mode"]
    change = _MODES.get(mode) if isinstance(mode, str) else None
    return discarding(value_of) if change is None else lambda event: change(value_of(event))


JSON = Directive(
    name="@json",
    rule=fields(required={"value": directive_or_json, "mode": one_of("encode", "decode")}),
    compile=_compile,
    parts=value_parts("value"),
)
