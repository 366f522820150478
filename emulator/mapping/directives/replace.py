"""`@replace`: one or two substrings replaced in a value.

The pattern is literal; in the replacement `$&`, `$$`, `` $` `` and `$'` have their meaning in JavaScript.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from emulator.mapping.directives.directive import (
    Compiler,
    Directive,
    Resolver,
    failing,
    missing_option,
    nothing,
    value_parts,
)
from emulator.mapping.directives.rules import a_boolean, directive_or_string, ordered_fields, string_of_length
from emulator.mapping.engine_errors import directive_error
from emulator.mapping.javascript import UNDEFINED, joined_units, to_string, truthy, utf16_length, utf16_units

MAX_PATTERN_LENGTH = 10
MAX_REPLACEMENT_LENGTH = 10

_CODE = re.compile(r"\$([$&`'])")
_ASCII_END = "\x80"


def replaced(text: str, pattern: str, replacement: str, *, ignore_case: bool, everywhere: bool) -> str:
    """`text.replace(/pattern/flags, replacement)` for a literal pattern, over UTF-16 units."""
    if text.isascii() and not ignore_case and "$" not in replacement:
        return text.replace(pattern, replacement, -1 if everywhere else 1)
    units, sought = _as_units(text), _as_units(pattern)
    searched = _folded(units) if ignore_case else units
    sought = _folded(sought) if ignore_case else sought
    pieces: list[str] = []
    done = 0
    for found in _places(searched, sought, everywhere):
        after = found + len(sought)
        pieces += (units[done:found], _expanded(replacement, units, found, after))
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


def _places(text: str, pattern: str, everywhere: bool) -> Iterator[int]:
    found = text.find(pattern)
    while found >= 0:
        yield found
        if not everywhere:
            return
        found = text.find(pattern, found + len(pattern))


def _expanded(replacement: str, text: str, start: int, end: int) -> str:
    meanings: dict[str, Callable[[], str]] = {
        "$": lambda: "$",
        "&": lambda: text[start:end],
        "`": lambda: text[:start],
        "'": lambda: text[end:],
    }
    return _CODE.sub(lambda code: meanings[code.group(1)](), replacement)


def _checked(text: str, pattern: str, replacement: str, *, ignore_case: bool, everywhere: bool) -> str:
    # Validation ignores the length of the second pattern, and items of arrays; these fail here.
    if utf16_length(pattern) > MAX_PATTERN_LENGTH:
        raise directive_error(f'@replace requires a "pattern" less than {MAX_PATTERN_LENGTH} characters')
    if utf16_length(replacement) > MAX_REPLACEMENT_LENGTH:
        raise directive_error(f'@replace requires a "replacement" less than {MAX_REPLACEMENT_LENGTH} characters')
    return replaced(text, pattern, replacement, ignore_case=ignore_case, everywhere=everywhere)


def _option(options: dict[str, object], name: str, default: object) -> object:
    value = options.get(name)
    return default if value is None or value is UNDEFINED else value


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


def _compile(options: object, compiler: Compiler) -> Resolver:
    problem = missing_option("@replace", options, 'an object with a "pattern" key', "pattern")
    if problem or not isinstance(options, dict):
        return failing(directive_error(str(problem)))
    if not truthy(options.get("value", UNDEFINED)):
        return nothing
    value_of = compiler.value(options["value"])
    pairs = _replacements(options)
    ignore_case, everywhere = _option(options, "ignorecase", False), _option(options, "global", True)
    usable = pairs is not None and isinstance(ignore_case, bool) and isinstance(everywhere, bool)

    def resolve(event: object) -> object:
        value = value_of(event)
        if not usable or not isinstance(value, str | bool | int | float):
            return ""
        text = to_string(value)
        for pattern, replacement in pairs or ():
            text = _checked(text, pattern, replacement, ignore_case=bool(ignore_case), everywhere=bool(everywhere))
        return text

    return resolve


REPLACE = Directive(
    name="@replace",
    rule=ordered_fields(
        ("pattern", string_of_length(1, MAX_PATTERN_LENGTH), True),
        ("replacement", string_of_length(0, MAX_REPLACEMENT_LENGTH), False),
        ("value", directive_or_string, True),
        ("ignorecase", a_boolean, False),
        ("global", a_boolean, False),
    ),
    compile=_compile,
    parts=value_parts("value"),
)
