"""Directives for values of the event: `@path`, `@arrayPath`, `@if`, `@literal` and `@excludeWhenNull`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from emulator.mapping.directives.directive import (
    Check,
    Compiler,
    Directive,
    Part,
    Place,
    Resolver,
    nothing,
    string_resolver,
    whole_part,
    with_options,
)
from emulator.mapping.directives.rules import an_array, directive_or_json, directive_or_string, fields
from emulator.mapping.engine_errors import directive_error, failing
from emulator.mapping.javascript.values import UNDEFINED, is_nullish, real_type_of, to_string, truthy
from emulator.mapping.paths import compile_path, without_root


def _look_up(path: str) -> Resolver:
    return compile_path(without_root(path))


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
    shaped = compiler.value(shape)

    def resolve(event: object) -> object:
        found = root(event)
        if isinstance(found, list):
            return [shaped(item) for item in found]
        # An object counts as an array of one; anything else is unchanged.
        return [shaped(found)] if isinstance(found, dict) else found

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


PATH = Directive(
    name="@path",
    rule=directive_or_string,
    compile=lambda options, compiler: string_resolver("@path", options, compiler, _look_up),
    parts=whole_part,
)
ARRAY_PATH = Directive(name="@arrayPath", rule=_array_path_rule, compile=_compile_array_path, parts=_array_path_parts)


def loosely_not_blank(value: object) -> bool:
    """What `blank` tests: the value exists and `value != ''`, a comparison that converts.

    0, false, `[]`, `[null]` and `[""]` are blank; `" "`, `"0"`, `[0]` and `{}` are not.
    """
    if is_nullish(value):
        return False
    return bool(to_string(value)) if isinstance(value, dict | list) else truthy(value)


def _tested_option(options: dict[str, object]) -> tuple[str, Callable[[object], bool]]:
    if "exists" in options:
        return "exists", lambda value: not is_nullish(value)
    return "blank", loosely_not_blank


def _if_problem(options: object) -> str | None:
    if not isinstance(options, dict):
        return '@if requires an object with an "exists" key'
    if not truthy(options.get("exists", UNDEFINED)) and not truthy(options.get("blank", UNDEFINED)):
        return '@if requires an "exists" key or a "blank" key'
    return None


def _branch(options: dict[str, object], passed: bool) -> str | None:
    if passed:
        return "then" if "then" in options else None
    return "else" if truthy(options.get("else", UNDEFINED)) else None


@with_options(_if_problem)
def _compile_if(options: dict[str, Any], compiler: Compiler) -> Resolver:
    name, test = _tested_option(options)
    branches = [_branch(options, passed=met) for met in (True, False)]
    then, otherwise = (compiler.value(options[branch]) if branch else nothing for branch in branches)
    tested = compiler.value(options[name])
    if name == "blank":
        return lambda event: then(event) if test(tested(event)) else otherwise(event)
    # The most common `@if`, a path if it exists, is looked up once.
    same = _is_path(options["exists"]) and options["exists"] == options.get("then")

    def resolve(event: object) -> object:
        value = tested(event)
        if value is None or value is UNDEFINED:
            return otherwise(event)
        return value if same else then(event)

    return resolve


def _is_path(mapping: object) -> bool:
    return isinstance(mapping, dict) and list(mapping) == ["@path"] and isinstance(mapping["@path"], str)


def _if_parts(options: object, event: object, compiler: Compiler) -> Iterator[Part]:
    if _if_problem(options) or not isinstance(options, dict):
        return
    name, test = _tested_option(options)
    yield Part(role=name, mapping=options[name], against=event)
    branch = _branch(options, passed=test(compiler.value(options[name])(event)))
    if branch:
        yield Part(role=branch, mapping=options[branch], against=event)


IF = Directive(
    name="@if",
    rule=fields(*((name, directive_or_json, False) for name in ("exists", "then", "else"))),
    compile=_compile_if,
    parts=_if_parts,
)


def without_nulls(value: object) -> object:
    """The value with null members undefined at every depth of objects; arrays are unchanged."""
    if not isinstance(value, dict):
        return value
    return {key: UNDEFINED if member is None else without_nulls(member) for key, member in value.items()}


def _compile_exclude_when_null(options: object, compiler: Compiler) -> Resolver:
    value_of = compiler.value(options)

    def resolve(event: object) -> object:
        value = value_of(event)
        return UNDEFINED if value is None else without_nulls(value)

    return resolve


# Directives inside a literal are resolved anyway.
LITERAL = Directive(
    name="@literal",
    rule=directive_or_json,
    compile=lambda options, compiler: compiler.value(options),
    parts=whole_part,
)
EXCLUDE_WHEN_NULL = Directive(
    name="@excludeWhenNull", rule=directive_or_json, compile=_compile_exclude_when_null, parts=whole_part
)
