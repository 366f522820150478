"""`@if`: one of two values, depending on whether a third exists or is not blank."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from emulator.mapping.directives.directive import Compiler, Directive, Part, Resolver, failing, nothing
from emulator.mapping.directives.rules import directive_or_json, fields
from emulator.mapping.engine_errors import directive_error
from emulator.mapping.javascript import UNDEFINED, to_string, truthy


def exists(value: object) -> bool:
    """Whether the value is neither null nor undefined."""
    return value is not None and value is not UNDEFINED


def loosely_not_blank(value: object) -> bool:
    """What `blank` tests: the value exists and `value != ''`, a comparison that converts.

    0, false, `[]`, `[null]` and `[""]` are blank; `" "`, `"0"`, `[0]` and `{}` are not.
    """
    if not exists(value):
        return False
    return bool(to_string(value)) if isinstance(value, dict | list) else truthy(value)


def _condition(options: dict[str, object]) -> tuple[str, Callable[[object], bool]]:
    return ("exists", exists) if "exists" in options else ("blank", loosely_not_blank)


def _problem(options: object) -> str | None:
    if not isinstance(options, dict):
        return '@if requires an object with an "exists" key'
    if not truthy(options.get("exists", UNDEFINED)) and not truthy(options.get("blank", UNDEFINED)):
        return '@if requires an "exists" key or a "blank" key'
    return None


def _branch(options: dict[str, object], passed: bool) -> str | None:
    if passed:
        return "then" if "then" in options else None
    return "else" if truthy(options.get("else", UNDEFINED)) else None


def _compile(options: object, compiler: Compiler) -> Resolver:
    problem = _problem(options)
    if problem or not isinstance(options, dict):
        return failing(directive_error(str(problem)))
    name, test = _condition(options)
    branches = [_branch(options, passed=met) for met in (True, False)]
    then, otherwise = (compiler.value(options[branch]) if branch else nothing for branch in branches)
    tested = compiler.value(options[name])
    if name == "blank":
        return lambda event: then(event) if test(tested(event)) else otherwise(event)
    if _is_path(options["exists"]) and options["exists"] == options.get("then"):
        return _existing_or(tested, otherwise)
    return _exists_then(tested, then, otherwise)


def _is_path(mapping: object) -> bool:
    return isinstance(mapping, dict) and list(mapping) == ["@path"] and isinstance(mapping["@path"], str)


def _existing_or(tested: Resolver, otherwise: Resolver) -> Resolver:
    """The most common `@if`, a path if it exists: looked up once."""

    def resolve(event: object) -> object:
        value = tested(event)
        return otherwise(event) if value is None or value is UNDEFINED else value

    return resolve


def _exists_then(tested: Resolver, then: Resolver, otherwise: Resolver) -> Resolver:
    def resolve(event: object) -> object:
        value = tested(event)
        return otherwise(event) if value is None or value is UNDEFINED else then(event)

    return resolve


def _parts(options: object, event: object, compiler: Compiler) -> Iterator[Part]:
    if _problem(options) or not isinstance(options, dict):
        return
    name, test = _condition(options)
    yield Part(role=name, mapping=options[name], against=event)
    branch = _branch(options, passed=test(compiler.value(options[name])(event)))
    if branch:
        yield Part(role=branch, mapping=options[branch], against=event)


IF = Directive(
    name="@if",
    rule=fields(
        optional={"exists": directive_or_json, "then": directive_or_json, "else": directive_or_json},
    ),
    compile=_compile,
    parts=_parts,
)
