"""`@liquid`: a Liquid template, rendered against the event."""

from __future__ import annotations

from emulator.mapping.directives.directive import Compiler, Directive, Resolver, constant, failing
from emulator.mapping.directives.rules import a_string
from emulator.mapping.engine_errors import MappingError, directive_error
from emulator.mapping.javascript.values import utf16_length

MAX_TEMPLATE_LENGTH = 1000


def _compile(options: object, compiler: Compiler) -> Resolver:
    if not isinstance(options, str):
        return failing(directive_error("liquid template value must be a string"))
    if not options:
        return constant("")
    if utf16_length(options) > MAX_TEMPLATE_LENGTH:
        return failing(directive_error(f"liquid template values are limited to {MAX_TEMPLATE_LENGTH} characters"))
    # Imported here because the template library is large and few mappings have a template.
    from emulator.mapping.liquid import compile_liquid

    try:
        return compile_liquid(options, compiler.now)
    except MappingError as error:
        return failing(error)


LIQUID = Directive(name="@liquid", rule=a_string, compile=_compile)
