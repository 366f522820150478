"""`@transform`: a mapping applied first, and another resolved against what it gives."""

from __future__ import annotations

from collections.abc import Iterator

from emulator.mapping.directives.directive import Compiler, Directive, Part, Resolver, failing
from emulator.mapping.directives.rules import directive_or_object, fields
from emulator.mapping.javascript.values import UNDEFINED, truthy
from emulator.mapping.mapping_error import directive_error


def _complaint(options: object) -> str | None:
    if not isinstance(options, dict):
        return '@transform requires an object with an "apply" key and a "mapping" key'
    for name in ("mapping", "apply"):
        if not truthy(options.get(name, UNDEFINED)):
            return f'@transform requires a "{name}" key'
    return None if isinstance(options["apply"], dict) else '@transform "apply" key should be an object'


def _compile(options: object, compiler: Compiler) -> Resolver:
    complaint = _complaint(options)
    if complaint or not isinstance(options, dict):
        return failing(directive_error(str(complaint)))
    apply = compiler.whole(options["apply"])
    mapping = compiler.value(options["mapping"])
    return lambda event: mapping(apply(event))


def _parts(options: object, event: object, compiler: Compiler) -> Iterator[Part]:
    if _complaint(options) or not isinstance(options, dict):
        return
    yield Part(role="apply", mapping=options["apply"], against=event)
    yield Part(role="mapping", mapping=options["mapping"], against=compiler.whole(options["apply"])(event))


TRANSFORM = Directive(
    name="@transform",
    rule=fields(required={"apply": directive_or_object, "mapping": directive_or_object}),
    compile=_compile,
    parts=_parts,
)
