"""Options that are a string, or a directive that gives one when the event comes."""

from __future__ import annotations

from collections.abc import Callable

from emulator.mapping.directives.directive import Compiler, Resolver, failing
from emulator.mapping.javascript.values import real_type_of
from emulator.mapping.mapping_error import MappingError, directive_error


def string_resolver(name: str, option: object, compiler: Compiler, compiled: Callable[[str], Resolver]) -> Resolver:
    """Compiles a fixed string once; a string that depends on the event is compiled for each event.

    Anything but a string fails with `@path: expected string, got number`.
    """
    if isinstance(option, str):
        return compiled(option)
    if not isinstance(option, dict | list):
        return failing(_not_a_string(name, option))
    text_of = compiler.value(option)

    def resolve(event: object) -> object:
        text = text_of(event)
        if not isinstance(text, str):
            raise _not_a_string(name, text)
        return compiled(text)(event)

    return resolve


def _not_a_string(name: str, found: object) -> MappingError:
    return directive_error(f"{name}: expected string, got {real_type_of(found)}")
