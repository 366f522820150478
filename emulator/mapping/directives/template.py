"""`@template`: a string with paths of the event in braces.

As in the engine, triple braces are replaced first and double braces in the result, so values inserted by the first pass
are templates themselves.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from emulator.mapping.directives.directive import Compiler, Directive, Resolver, string_resolver, whole_part
from emulator.mapping.directives.rules import directive_or_string
from emulator.mapping.javascript import UNDEFINED, to_string, trim
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
        rendered = [text[0]]
        for look_up, following in zip(names, text[1:], strict=True):
            rendered += (_inserted(look_up(against)), following)
        return "".join(rendered)

    return render


def _inserted(value: object) -> str:
    return "" if value is None or value is UNDEFINED else to_string(value)


def _compile(options: object, compiler: Compiler) -> Resolver:
    return string_resolver("@template", options, compiler, compile_template)


TEMPLATE = Directive(name="@template", rule=directive_or_string, compile=_compile, parts=whole_part)
