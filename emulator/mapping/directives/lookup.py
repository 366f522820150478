"""`@path` and `@arrayPath`: values of the event."""

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
    string_resolver,
    whole_part,
)
from emulator.mapping.directives.rules import an_array, directive_or_string
from emulator.mapping.engine_errors import directive_error
from emulator.mapping.javascript import UNDEFINED, real_type_of
from emulator.mapping.paths import compile_path, without_root


def _look_up(path: str) -> Resolver:
    return compile_path(without_root(path))


def _compile_path(options: object, compiler: Compiler) -> Resolver:
    return string_resolver("@path", options, compiler, _look_up)


def _path_and_shape(options: list[object]) -> tuple[object, object]:
    path, shape, *_ = (*options, UNDEFINED, UNDEFINED)
    return path, shape


def _array_path_rule(options: object, place: Place, check: Check) -> None:
    an_array(options, place, check)
    path, shape = _path_and_shape(options if isinstance(options, list) else [])
    directive_or_string(path, place, check)
    check(shape, place)


def _compile_array_path(options: object, compiler: Compiler) -> Resolver:
    if not isinstance(options, list):
        return failing(directive_error(f"@arrayPath expected array, got {real_type_of(options)}"))
    path, shape = _path_and_shape(options)
    root = _look_up(path) if isinstance(path, str) else compiler.value(path)
    if not isinstance(shape, dict) or not shape:
        return root
    return _each(root, compiler.value(shape))


def _each(root: Resolver, shape: Resolver) -> Resolver:
    """Every element in its shape; an object counts as an array of one, anything else is unchanged."""

    def resolve(event: object) -> object:
        found = root(event)
        if isinstance(found, list):
            return [shape(item) for item in found]
        return [shape(found)] if isinstance(found, dict) else found

    return resolve


def _array_path_parts(options: object, event: object, compiler: Compiler) -> Iterator[Part]:
    if not isinstance(options, list):
        return
    path, shape = _path_and_shape(options)
    root = {"@path": path} if isinstance(path, str) else path
    yield Part(role="path", mapping=root, against=event)
    if not isinstance(shape, dict) or not shape:
        return
    found = compiler.value(root)(event)
    items = found if isinstance(found, list) else [found] if isinstance(found, dict) else []
    for position, item in enumerate(items):
        yield Part(role=str(position), mapping=shape, against=item)


PATH = Directive(name="@path", rule=directive_or_string, compile=_compile_path, parts=whole_part)
ARRAY_PATH = Directive(name="@arrayPath", rule=_array_path_rule, compile=_compile_array_path, parts=_array_path_parts)
