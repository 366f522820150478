"""Directives for strings: `@template`, `@case`, `@replace`, `@json` and `@liquid`.

`@template` replaces triple braces first and then double braces in the result, as in the engine, so values inserted by
the first pass are templates themselves. The pattern of `@replace` is literal; in the replacement `$&`, `$$`, `` $` ``
and `$'` have their meaning in JavaScript.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import islice, starmap
from typing import Any

from emulator.mapping.directives.directive import (
    Compiler,
    Directive,
    Resolver,
    check_length,
    constant,
    discarding,
    nothing,
    required_options,
    string_resolver,
    value_parts,
    whole_part,
    with_options,
)
from emulator.mapping.directives.rules import (
    a_boolean,
    a_string,
    directive_or_json,
    directive_or_string,
    fields,
    one_of,
    string_of_length,
)
from emulator.mapping.engine_errors import Failing, MappingError, directive_error, failing
from emulator.mapping.javascript.values import (
    UNDEFINED,
    is_nullish,
    joined_units,
    parse_json,
    stringify,
    to_string,
    trim,
    truthy,
    utf16_length,
    utf16_units,
)
from emulator.mapping.paths import compile_path

_TRIPLE = re.compile(r"\{\{\{([^}]+)\}\}\}")
_DOUBLE = re.compile(r"\{\{([^}]+)\}\}")


def compile_template(template: str) -> Callable[[object], str]:
    """A function that renders the template for an event. There are no conditionals, filters or escapes."""
    if not _TRIPLE.search(template):
        return _one_pass(template, _DOUBLE)
    first = _one_pass(template, _TRIPLE)
    return lambda event: _one_pass(first(event), _DOUBLE)(event)


def _one_pass(template: str, braces: re.Pattern[str]) -> Callable[[object], str]:
    # Splitting on one group alternates literal text and names.
    pieces = braces.split(template)
    text, names = pieces[0::2], [compile_path(trim(name)) for name in pieces[1::2]]

    def render(event: object) -> str:
        against = {} if event is UNDEFINED else event
        rendered, characters = [text[0]], len(template)
        for look_up, following in zip(names, text[1:], strict=True):
            inserted = _inserted(look_up(against))
            characters += len(inserted)
            check_length("@template", characters)
            rendered += (inserted, following)
        return "".join(rendered)

    return render


def _inserted(value: object) -> str:
    return "" if value is None or value is UNDEFINED else to_string(value)


TEMPLATE = Directive(
    name="@template",
    rule=directive_or_string,
    compile=lambda options, compiler: string_resolver("@template", options, compiler, compile_template),
    parts=whole_part,
)


_CASES = {"lower": str.lower, "upper": str.upper}


@with_options(required_options("@case", 'an object with a "operator" key', "operator"))
def _compile_case(options: dict[str, Any], compiler: Compiler) -> Resolver:
    operator = options["operator"]
    if not truthy(options.get("value", UNDEFINED)):
        return nothing
    value_of = compiler.value(options["value"])
    change = _CASES.get(operator) if isinstance(operator, str) else None
    unknown = directive_error('operator key should have a value of "lower" or "upper"')

    def resolve(event: object) -> object:
        value = value_of(event)
        if not isinstance(value, str):
            return value
        if change is None:
            raise unknown
        return change(value)

    return resolve if change else Failing(unknown, resolve)


CASE = Directive(
    name="@case",
    rule=fields(("operator", a_string, False), ("value", directive_or_string, False)),
    compile=_compile_case,
    parts=value_parts("value"),
)


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


@with_options(required_options("@json", 'an object with a "value" key', "mode", "value"))
def _compile_json(options: dict[str, Any], compiler: Compiler) -> Resolver:
    value_of = compiler.value(options["value"])
    mode = options["mode"]
    change = _MODES.get(mode) if isinstance(mode, str) else None
    return discarding(value_of) if change is None else lambda event: change(value_of(event))


JSON = Directive(
    name="@json",
    rule=fields(("value", directive_or_json, True), ("mode", one_of("encode", "decode"), True)),
    compile=_compile_json,
    parts=value_parts("value"),
)


MAX_PATTERN_LENGTH = 10
MAX_REPLACEMENT_LENGTH = 10

_CODE = re.compile(r"\$([$&`'])")
_ASCII_END = "\x80"


def replaced(text: str, pattern: str, replacement: str, *, ignore_case: bool, everywhere: bool) -> str:
    """`text.replace(/pattern/flags, replacement)` for a literal pattern, over UTF-16 units."""
    if text.isascii() and not ignore_case and "$" not in replacement:
        found = text.count(pattern) if everywhere else 1
        check_length("@replace", len(text) + found * len(replacement))
        return text.replace(pattern, replacement, found)
    units, target = _as_units(text), _as_units(pattern)
    searched = _folded(units) if ignore_case else units
    target = _folded(target) if ignore_case else target
    pieces: list[str] = []
    done = characters = 0
    places = re.finditer(re.escape(target), searched)
    for found, after in (place.span() for place in (places if everywhere else islice(places, 1))):
        pieces += (units[done:found], _expanded(replacement, units, found, after))
        characters += len(pieces[-1])
        check_length("@replace", characters)
        done = after
    return joined_units("".join((*pieces, units[done:])))


def _as_units(text: str) -> str:
    return text if text.isascii() else "".join(utf16_units(text))


def _folded(units: str) -> str:
    return "".join(map(_fold, units))


def _fold(unit: str) -> str:
    """Case folding of a regular expression without the `u` flag: simple upper-casing that never results in ASCII."""
    upper = unit.upper()
    if len(upper) != 1 or (unit >= _ASCII_END and upper < _ASCII_END):
        return unit
    return upper


def _expanded(replacement: str, text: str, start: int, end: int) -> str:
    meanings: dict[str, Callable[[], str]] = {
        "$": lambda: "$",
        "&": lambda: text[start:end],
        "`": lambda: text[:start],
        "'": lambda: text[end:],
    }
    return _CODE.sub(lambda code: meanings[code.group(1)](), replacement)


def _length_problem(pattern: str, replacement: str) -> MappingError | None:
    """Validation ignores the length of the second pattern, and items of arrays; these fail on a value."""
    if utf16_length(pattern) > MAX_PATTERN_LENGTH:
        return directive_error(f'@replace requires a "pattern" less than {MAX_PATTERN_LENGTH} characters')
    if utf16_length(replacement) > MAX_REPLACEMENT_LENGTH:
        return directive_error(f'@replace requires a "replacement" less than {MAX_REPLACEMENT_LENGTH} characters')
    return None


def _option(options: dict[str, object], name: str, default: object) -> object:
    value = options.get(name)
    return default if is_nullish(value) else value


def _replacements(options: dict[str, object]) -> list[tuple[str, str]] | None:
    """The pairs to replace in order; None if an option has a type with which the engine returns an empty string."""
    first = (options["pattern"], _option(options, "replacement", ""))
    second = (options.get("pattern2"), _option(options, "replacement2", ""))
    if not all(isinstance(part, str) for part in first):
        return None
    pairs = [first]
    if second[0] and all(isinstance(part, str) for part in second):
        pairs.append(second)
    return [(str(pattern), str(replacement)) for pattern, replacement in pairs]


@with_options(required_options("@replace", 'an object with a "pattern" key', "pattern"))
def _compile_replace(options: dict[str, Any], compiler: Compiler) -> Resolver:
    if not truthy(options.get("value", UNDEFINED)):
        return nothing
    value_of = compiler.value(options["value"])
    pairs = _replacements(options)
    ignore_case, everywhere = _option(options, "ignorecase", False), _option(options, "global", True)
    usable = pairs is not None and isinstance(ignore_case, bool) and isinstance(everywhere, bool)
    too_long = next(filter(None, starmap(_length_problem, pairs or ())), None) if usable else None

    def resolve(event: object) -> object:
        value = value_of(event)
        if not usable or not isinstance(value, str | bool | int | float):
            return ""
        text = to_string(value)
        for pattern, replacement in pairs or ():
            if problem := _length_problem(pattern, replacement):
                raise problem
            text = replaced(text, pattern, replacement, ignore_case=bool(ignore_case), everywhere=bool(everywhere))
        return text

    return Failing(too_long, resolve) if too_long else resolve


REPLACE = Directive(
    name="@replace",
    rule=fields(
        ("pattern", string_of_length(1, MAX_PATTERN_LENGTH), True),
        ("replacement", string_of_length(0, MAX_REPLACEMENT_LENGTH), False),
        ("value", directive_or_string, True),
        ("ignorecase", a_boolean, False),
        ("global", a_boolean, False),
    ),
    compile=_compile_replace,
    parts=value_parts("value"),
)


MAX_TEMPLATE_LENGTH = 1000


def _compile_liquid(options: object, compiler: Compiler) -> Resolver:
    if not isinstance(options, str):
        return failing(directive_error("liquid template value must be a string"))
    if not options:
        return constant("")
    if utf16_length(options) > MAX_TEMPLATE_LENGTH:
        return failing(directive_error(f"liquid template values are limited to {MAX_TEMPLATE_LENGTH} characters"))
    # Imported here because few mappings have a template.
    from emulator.mapping.liquid import compile_liquid

    try:
        return compile_liquid(options, compiler.now)
    except MappingError as error:
        return failing(error)


LIQUID = Directive(name="@liquid", rule=a_string, compile=_compile_liquid)
