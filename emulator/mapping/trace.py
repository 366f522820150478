"""Where each field of a payload comes from: the directives that gave its value, and what each of them gave."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime

from emulator.mapping.directives import DIRECTIVES
from emulator.mapping.directives.directive import Part
from emulator.mapping.javascript.values import UNDEFINED, ConversionError, ordered_items, without_undefined
from emulator.mapping.mapping_error import MappingError
from emulator.mapping.mapping_validation import check_mapping
from emulator.mapping.resolve import MappingCompiler, directive_of, may_count, unfold_root


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One piece of a mapping and what it gave.

    `role` is its part in the step above (`exists`, `then`, `value`, a member's name, an item's position), empty at the
    top of a field. `directive` is its name, None for a fixed value, list or object. `options` is what stands beside
    the name in the mapping, or the fixed value itself. `value` is what it gave, UNDEFINED for none; when it failed,
    `error` holds the message instead. `steps` are the pieces that took part, only the branch taken of an `@if`.
    """

    role: str
    directive: str | None
    options: object
    value: object
    error: str | None = None
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldTrace:
    """A field of the payload: its name (empty when the mapping as a whole is a directive), its value, and its step."""

    field: str
    value: object
    step: Step


def trace_mapping(
    mapping: Mapping[str, object], event: object, *, now: Callable[[], datetime] | None = None
) -> list[FieldTrace]:
    """Every field of the mapping, in the payload's order; one whose value is UNDEFINED is not in the payload.

    Each piece is resolved against the event as it came, without the counters that other pieces write into it. Raises
    MappingError for a mapping that is wrong. A directive that fails on the event does not stop the others.
    """
    unfolded = unfold_root(mapping)
    check_mapping(unfolded)
    tracer = _Tracer(MappingCompiler(now), copies=may_count(unfolded))
    fields = [("", unfolded)] if directive_of(unfolded) else ordered_items(unfolded)
    return [_field(name, tracer.step("", value, event)) for name, value in fields]


def _field(name: str, step: Step) -> FieldTrace:
    return FieldTrace(field=name, value=without_undefined(step.value), step=step)


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
        return Step(
            role=role,
            directive=name,
            options=options,
            value=value,
            error=error,
            steps=self._steps(name, options, event),
        )

    def _steps(self, name: str | None, options: object, event: object) -> tuple[Step, ...]:
        try:
            return tuple(self.step(part.role, part.mapping, part.against) for part in self._parts(name, options, event))
        except (MappingError, ConversionError):
            # The part that failed has its own step; what depends on its value has none.
            return ()

    def _parts(self, name: str | None, options: object, event: object) -> list[Part]:
        if name is not None:
            directive = DIRECTIVES.get(name)
            return list(directive.parts(options, event, self._compiler)) if directive else []
        if isinstance(options, dict):
            members = ordered_items(options)
        else:
            items = options if isinstance(options, list) else []
            members = ((str(position), item) for position, item in enumerate(items))
        return [
            Part(role=key, mapping=value, against=event) for key, value in members if isinstance(value, dict | list)
        ]
