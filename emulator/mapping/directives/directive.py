"""What a directive declares: its name, what its options must look like, how they compile, and which parts they have."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeAlias

from emulator.mapping.javascript.values import UNDEFINED
from emulator.mapping.mapping_error import MappingError

Resolver: TypeAlias = Callable[[object], object]
"""A compiled piece of a mapping: takes an event (or an element of one), gives the value, UNDEFINED for none."""

Place: TypeAlias = tuple[str, ...]
"""Where in a mapping something stands: member and directive names from the root."""

Check: TypeAlias = Callable[[object, Place], None]
"""Raises MappingError when a nested mapping is wrong."""

Rule: TypeAlias = Callable[[object, Place, Check], None]
"""A condition on an option. Gets the option, its place, and the check for a mapping nested in it."""


class Compiler(Protocol):
    """What a directive needs to compile the mappings among its options."""

    @property
    def now(self) -> Callable[[], datetime]:
        """The clock that templates read."""
        ...

    def value(self, mapping: object) -> Resolver:
        """Compiles any mapping value: scalar, list, object or directive."""
        ...

    def whole(self, mapping: Mapping[str, object]) -> Resolver:
        """Compiles a complete mapping, validated first; what is wrong with it is raised when it is resolved."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A nested mapping that takes part in a directive's value: its role, and the data it is resolved against."""

    role: str
    mapping: object
    against: object


Parts: TypeAlias = Callable[[object, object, Compiler], Iterator[Part]]


def no_parts(_options: object, _event: object, _compiler: Compiler) -> Iterator[Part]:
    """The parts of a directive without nested mappings."""
    return iter(())


def value_parts(*keys: str) -> Parts:
    """The parts of a directive that resolves the named options against the event."""

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
    compile: Callable[[object, Compiler], Resolver]
    parts: Parts = no_parts


def failing(error: MappingError) -> Resolver:
    """A resolver for options that passed validation but cannot work: the engine notices only when an event comes."""

    def fail(_event: object) -> object:
        raise error

    return fail


def constant(value: object) -> Resolver:
    """A resolver that always gives the same value."""
    return lambda _event: value


def discarding(resolver: Resolver) -> Resolver:
    """A resolver that resolves, so that errors show, and drops the value."""

    def discard(event: object) -> object:
        resolver(event)
        return UNDEFINED

    return discard


nothing: Resolver = constant(UNDEFINED)
