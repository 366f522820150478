"""`@transform`: a mapping resolved against the value of another."""

from __future__ import annotations

from collections.abc import Iterator

from emulator.mapping.directives.directive import Compiler, Directive, Part, Resolver, failing, missing_option
from emulator.mapping.directives.rules import directive_or_object, fields
from emulator.mapping.engine_errors import directive_error


def _problem(options: object) -> str | None:
    required = 'an object with an "apply" key and a "mapping" key'
    problem = missing_option("@transform", options, required, "mapping", "apply")
    if not problem and isinstance(options, dict) and not isinstance(options["apply"], dict):
        return '@transform "apply" key should be an object'
    return problem


def _compile(options: object, compiler: Compiler) -> Resolver:
    problem = _problem(options)
    if problem or not isinstance(options, dict):
        return failing(directive_error(str(problem)))
    apply = compiler.whole(options["apply"])
    mapping = compiler.value(options["mapping"])
    return lambda event: mapping(apply(event))


def _parts(options: object, event: object, compiler: Compiler) -> Iterator[Part]:
    if _problem(options) or not isinstance(options, dict):
        return
    yield Part(role="apply", mapping=options["apply"], against=event)
    yield Part(role="mapping", mapping=options["mapping"], against=compiler.whole(options["apply"])(event))


TRANSFORM = Directive(
    name="@transform",
    rule=fields(required={"apply": directive_or_object, "mapping": directive_or_object}),
    compile=_compile,
    parts=_parts,
)
