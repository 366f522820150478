"""The origin of each field of a payload: the directives behind its value, each with its own value."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime

from emulator.mapping.directives import DIRECTIVES
from emulator.mapping.directives.directive import Part, Resolver
from emulator.mapping.engine_errors import MappingError
from emulator.mapping.javascript.values import UNDEFINED, ConversionError, ordered_items, without_undefined
from emulator.mapping.resolve import MappingCompiler, check_mapping, directive_of, may_write_event, unfold_root


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One part of a mapping and its value.

    `role` is its part in the parent step (`exists`, `then`, `value`, a member's name, an item's position), empty at the
    top of a field. `directive` is None for a fixed value, array or object. `options` are the directive's options, or
    the fixed value. `value` is UNDEFINED if there is none; `error` is the message if it failed. `steps` are the nested
    parts, of an `@if` only the branch taken.
    """

    role: str
    directive: str | None
    options: object
    value: object
    error: str | None = None
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldTrace:
    """A field of the payload; its name is empty if the whole mapping is a directive."""

    field: str
    value: object
    step: Step


def trace_mapping(
    mapping: Mapping[str, object], event: object, *, now: Callable[[], datetime] | None = None
) -> list[FieldTrace]:
    """Every field of the mapping in the payload's order; a field with the value UNDEFINED is not in the payload.

    Each part is resolved against the original event, without the counters that other parts write into it. Raises
    MappingError for an invalid mapping; a directive that fails on the event does not stop the others.
    """
    return tracer_of(mapping, now=now)(event)


def tracer_of(
    mapping: Mapping[str, object], *, now: Callable[[], datetime] | None = None
) -> Callable[[object], list[FieldTrace]]:
    """`trace_mapping` for many events. Raises MappingError for an invalid mapping."""
    unfolded = unfold_root(mapping)
    check_mapping(unfolded)
    tracer = _Tracer(_Remembering(unfolded, now), copies=may_write_event(unfolded))
    fields = [("", unfolded)] if directive_of(unfolded) else list(ordered_items(unfolded))

    def trace(event: object) -> list[FieldTrace]:
        steps = [(name, tracer.step("", value, event)) for name, value in fields]
        return [FieldTrace(field=name, value=without_undefined(step.value), step=step) for name, step in steps]

    return trace


class _Remembering(MappingCompiler):
    """Compiles each part of one mapping once."""

    def __init__(self, mapping: object, now: Callable[[], datetime] | None) -> None:
        super().__init__(now)
        # By identity: the parts live as long as the mapping does, and others are made for one event.
        self._parts = dict(_parts_by_id(mapping))
        self._resolvers: dict[int, Resolver] = {}

    def value(self, mapping: object) -> Resolver:
        key = id(mapping)
        if self._parts.get(key) is not mapping:
            return super().value(mapping)
        if key not in self._resolvers:
            self._resolvers[key] = super().value(mapping)
        return self._resolvers[key]


def _parts_by_id(mapping: object) -> Iterator[tuple[int, object]]:
    if isinstance(mapping, dict | list):
        yield id(mapping), mapping
        for part in mapping.values() if isinstance(mapping, dict) else mapping:
            yield from _parts_by_id(part)


class _Tracer:
    def __init__(self, compiler: MappingCompiler, *, copies: bool) -> None:
        self._compiler = compiler
        self._copies = copies

    def step(self, role: str, mapping: object, event: object) -> Step:
        name = directive_of(mapping) if isinstance(mapping, dict) else None
        options = mapping[name] if name and isinstance(mapping, dict) else mapping
        try:
            resolver = self._compiler.value(mapping)
            value, error = resolver(deepcopy(event) if self._copies else event), None
        except (MappingError, ConversionError) as failure:
            value, error = UNDEFINED, str(failure)
        steps = self._steps(name, options, event)
        return Step(role=role, directive=name, options=options, value=value, error=error, steps=steps)

    def _steps(self, name: str | None, options: object, event: object) -> tuple[Step, ...]:
        try:
            return tuple(self.step(part.role, part.mapping, part.against) for part in self._parts(name, options, event))
        except (MappingError, ConversionError):
            # The failed part has its own step; parts that depend on its value have none.
            return ()

    def _parts(self, name: str | None, options: object, event: object) -> list[Part]:
        if name is not None:
            directive = DIRECTIVES.get(name)
            return list(directive.parts(options, event, self._compiler)) if directive else []
        items = options if isinstance(options, list) else []
        numbered = ((str(position), item) for position, item in enumerate(items))
        members = ordered_items(options) if isinstance(options, dict) else numbered
        return [
            Part(role=key, mapping=value, against=event) for key, value in members if isinstance(value, dict | list)
        ]
