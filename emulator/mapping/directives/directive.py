"""The interface of a directive: its name, the rule for its options, how they compile, and which parts they have."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeAlias

from emulator.mapping.engine_errors import MappingError, directive_error, failing
from emulator.mapping.javascript.values import UNDEFINED, real_type_of, truthy

Resolver: TypeAlias = Callable[[object], object]
"""A compiled part of a mapping: from an event (or an element of one) to the value, UNDEFINED for none."""

Place: TypeAlias = tuple[str, ...]
"""A path in a mapping: member and directive names from the root."""

Check: TypeAlias = Callable[[object, Place], None]
"""Raises MappingError for an invalid nested mapping."""

Rule: TypeAlias = Callable[[object, Place, Check], None]
"""Raises MappingError for an invalid option, given its place and the check for nested mappings."""


MOST_CHARACTERS = 100_000_000
"""As many as the output of a Liquid template may have. A short mapping and a short event can multiply each other."""


def check_length(name: str, characters: int) -> None:
    """Raises MappingError when a directive's text would have too many characters."""
    if characters > MOST_CHARACTERS:
        raise directive_error(f"{name}: the text has more than {MOST_CHARACTERS} characters")


class Compiler(Protocol):
    """Compiles the mappings among a directive's options."""

    now: Callable[[], datetime]
    """The clock that templates read."""

    def value(self, mapping: object) -> Resolver:
        """Compiles any mapping value: scalar, array, object or directive."""
        ...

    def whole(self, mapping: Mapping[str, object]) -> Resolver:
        """Compiles a complete mapping with validation; its mistakes are raised when it is resolved."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A nested mapping behind a directive's value: its role, and the data it is resolved against."""

    role: str
    mapping: object
    against: object


Parts: TypeAlias = Callable[[object, object, Compiler], Iterator[Part]]
Compile: TypeAlias = Callable[[object, Compiler], Resolver]
CompileOptions: TypeAlias = Callable[[dict[str, Any], Compiler], Resolver]
Problem: TypeAlias = Callable[[object], str | None]
"""The engine's message for the options of a directive; None if they are usable."""


def no_parts(_options: object, _event: object, _compiler: Compiler) -> Iterator[Part]:
    """The parts of a directive without nested mappings."""
    return iter(())


def value_parts(*keys: str) -> Parts:
    """The parts of a directive that resolves these options against the event."""

    def parts(options: object, event: object, _compiler: Compiler) -> Iterator[Part]:
        members = options if isinstance(options, dict) else {}
        return (Part(role=key, mapping=members[key], against=event) for key in keys if key in members)

    return parts


def whole_part(options: object, event: object, _compiler: Compiler) -> Iterator[Part]:
    """The part of a directive whose options are themselves a mapping."""
    if isinstance(options, dict | list):
        yield Part(role="value", mapping=options, against=event)


@dataclass(frozen=True, slots=True, kw_only=True)
class Directive:
    """One directive of the mapping kit."""

    name: str
    rule: Rule
    compile: Compile
    parts: Parts = no_parts


def constant(value: object) -> Resolver:
    """A resolver with a fixed value."""
    return lambda _event: value


def discarding(resolver: Resolver) -> Resolver:
    """A resolver that drops the value, but raises its errors."""

    def discard(event: object) -> object:
        resolver(event)
        return UNDEFINED

    return discard


nothing: Resolver = constant(UNDEFINED)


def required_options(directive: str, required: str, *names: str) -> Problem:
    """The check for these options of an object; `required` describes them: `an object with a "value" key`."""

    def problem(options: object) -> str | None:
        if not isinstance(options, dict):
            return f"{directive} requires {required}"
        missing = next((name for name in names if not truthy(options.get(name, UNDEFINED))), None)
        return f'{directive} requires a "{missing}" key' if missing else None

    return problem


def with_options(problem: Problem) -> Callable[[CompileOptions], Compile]:
    """Compiles options without a problem; with one, the directive fails for every event."""

    def decorate(compile_options: CompileOptions) -> Compile:
        def compile_checked(options: object, compiler: Compiler) -> Resolver:
            message = problem(options)
            if message or not isinstance(options, dict):
                return failing(directive_error(str(message)))
            return compile_options(options, compiler)

        return compile_checked

    return decorate


def string_resolver(name: str, option: object, compiler: Compiler, compiled: Callable[[str], Resolver]) -> Resolver:
    """Compiles a string, or a directive whose string is compiled for each event; anything else fails."""
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
