"""`@json`: a value as JSON text, and back."""

from __future__ import annotations

from emulator.mapping.directives.directive import Compiler, Directive, Resolver, discarding, failing, value_parts
from emulator.mapping.directives.rules import directive_or_json, fields, one_of
from emulator.mapping.javascript.values import UNDEFINED, parse_json, stringify, truthy
from emulator.mapping.mapping_error import directive_error


def _decoded(value: object) -> object:
    """What the text says; text that is no JSON stays as it is, and so does anything else."""
    if not isinstance(value, str):
        return value
    try:
        return parse_json(value)
    except ValueError:
        return value


# Validation takes any letter case, the engine only these.
_MODES = {"encode": stringify, "decode": _decoded}


def _compile(options: object, compiler: Compiler) -> Resolver:
    if not isinstance(options, dict):
        return failing(directive_error('@json requires an object with a "value" key'))
    for name in ("mode", "value"):
        if not truthy(options.get(name, UNDEFINED)):
            return failing(directive_error(f'@json requires a "{name}" key'))
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
