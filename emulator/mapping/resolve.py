"""Mappings compiled to closures: validated once, then resolved for each event.

The order is the engine's: the root mapping key is unfolded, the whole mapping is validated, values are resolved, and
undefined members are removed. As in the engine, items of arrays and members of objects under `@literal` are not
validated: they fail when an event is resolved.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from datetime import datetime
from functools import partial

from emulator.mapping.directives import DIRECTIVES
from emulator.mapping.directives.directive import Place, Resolver, constant, discarding
from emulator.mapping.directives.rules import gather, option_type
from emulator.mapping.engine_errors import MappingError, directive_error, failing, invalid
from emulator.mapping.javascript.values import (
    CONTAINERS,
    UNDEFINED,
    ConversionError,
    ordered_items,
    real_type_of,
    stringify,
    without_undefined,
)

METADATA = "_metadata"
ROOT_KEY = "__segment_internal_directive"
_PROTOTYPE = "__proto__"
_TOO_DEEP = "Maximum call stack size exceeded"
_COUNTING_TAGS = ("increment", "decrement")


def compile_mapping(
    mapping: Mapping[str, object], *, now: Callable[[], datetime] | None = None
) -> Callable[[object], object]:
    """Compiles a mapping to a function from an event (any JSON value) to its payload, which shares no object with it.

    Raises MappingError for an invalid mapping; the function raises it when a directive fails on an event. `now` is the
    clock that `@liquid` templates read; without one, a template with `now` fails. Pass events outside a batch through
    `single_event` first.
    """
    resolver = MappingCompiler(now).checked(mapping)
    if not may_write_event(mapping):
        return resolver
    # A copy keeps the counters out of the caller's event.
    return lambda event: resolver(deepcopy(event))


def may_write_event(mapping: Mapping[str, object]) -> bool:
    """Whether a template in the mapping may write to the event, as `{% increment n %}` does.

    Later fields see the counter, and so do objects that earlier fields took from the event.
    """
    text = str(stringify(mapping))
    return any(tag in text for tag in _COUNTING_TAGS)


class MappingCompiler:
    """Compiles mappings and the mappings nested in them."""

    def __init__(self, now: Callable[[], datetime] | None = None) -> None:
        self.now = now or _no_clock

    def checked(self, mapping: Mapping[str, object]) -> Resolver:
        """Compiles a complete mapping. Raises MappingError for an invalid one."""
        unfolded = unfold_root(mapping)
        try:
            check_mapping(unfolded)
            counts = may_write_event(unfolded)
            return _guarded(self._cleaned_afterwards(unfolded) if counts else self._cleaned(unfolded))
        except RecursionError:
            raise MappingError("RangeError", _TOO_DEEP) from None

    def whole(self, mapping: Mapping[str, object]) -> Resolver:
        """Compiles a nested mapping: its mistakes are raised when it is resolved, and the event must be an object."""
        try:
            resolver = self.checked(mapping)
        except MappingError as error:
            resolver = failing(error)

        return lambda event: resolver(single_event(event))

    def value(self, mapping: object) -> Resolver:
        """Compiles any value of a mapping without validation."""
        if isinstance(mapping, list):
            return self._list(mapping)
        if not isinstance(mapping, dict):
            return constant(mapping)
        name = directive_of(mapping)
        if name is None:
            return self._object(mapping)
        if name not in DIRECTIVES:
            return failing(directive_error(f"{name} is not a valid directive, got undefined"))
        return DIRECTIVES[name].compile(mapping[name], self)

    def _list(self, mapping: list[object]) -> Resolver:
        items = [self.value(item) for item in mapping]
        return lambda event: [item(event) for item in items]

    def _object(self, mapping: dict[str, object]) -> Resolver:
        members = [(key, self._member(key, value)) for key, value in ordered_items(mapping)]
        return lambda event: {key: member(event) for key, member in members}

    def _member(self, key: str, mapping: object) -> Resolver:
        # Assigning to `__proto__` makes no member: the value is resolved and may fail, but is dropped.
        return discarding(self.value(mapping)) if key == _PROTOTYPE else self.value(mapping)

    def _cleaned_afterwards(self, mapping: dict[str, object]) -> Resolver:
        whole = self.value(mapping)
        return lambda event: without_undefined(whole(event))

    def _cleaned(self, mapping: dict[str, object]) -> Resolver:
        """Compiles a mapping to a new value without undefined members."""
        if directive_of(mapping) is not None:
            return self._cleaned_afterwards(mapping)
        members = [(key, *self._cleaned_member(key, value)) for key, value in ordered_items(mapping)]

        def resolve(event: object) -> object:
            payload = {}
            for key, member, is_clean in members:
                value = member(event)
                if value is not UNDEFINED:
                    fresh = is_clean or not isinstance(value, CONTAINERS)
                    payload[key] = value if fresh else without_undefined(value)
            return payload

        return resolve

    def _cleaned_member(self, key: str, mapping: object) -> tuple[Resolver, bool]:
        """A member's resolver, and whether its result is already free of undefined members."""
        if isinstance(mapping, dict) and key != _PROTOTYPE and directive_of(mapping) is None:
            return self._cleaned(mapping), True
        return self._member(key, mapping), False


def single_event(event: object) -> dict[str, object]:
    """An event outside a batch: an object, or an empty one for UNDEFINED. Raises MappingError for anything else.

    In a batch the engine does not check, and resolves null or a string as well.
    """
    if event is UNDEFINED:
        return {}
    if not isinstance(event, dict):
        raise directive_error(f"data must be an object, got {real_type_of(event)}")
    return event


def unfold_root(mapping: Mapping[str, object]) -> dict[str, object]:
    """A mapping with a root key: its directive, with all other members as the directive's `mapping`."""
    if ROOT_KEY not in mapping:
        return dict(mapping)
    root = mapping[ROOT_KEY]
    if root is None:
        raise MappingError("TypeError", "Cannot convert undefined or null to object")
    members = dict(root) if isinstance(root, dict) else {}
    if len(members) > 1:
        raise directive_error("The root mapping must only have a single directive object")
    name, options = next(iter(members.items()), ("", None))
    if isinstance(options, list):
        return {name: options}
    if not isinstance(options, dict):
        raise directive_error("The root directive must be an object")
    fields = {key: value for key, value in ordered_items(mapping) if key != ROOT_KEY}
    return {name: {**options, "mapping": fields}}


def directive_of(mapping: Mapping[str, object]) -> str | None:
    """The name of the directive, None for an ordinary object."""
    names = [key for key in mapping if key.startswith("@")]
    if names and all(key.startswith("@") or key == METADATA for key in mapping):
        return names[0]
    return None


def _no_clock() -> datetime:
    raise MappingError("RenderError", "the template reads the time, but the mapping was compiled without a clock")


def _guarded(resolver: Resolver) -> Resolver:
    def resolve(event: object) -> object:
        try:
            return resolver(event)
        except ConversionError as error:
            raise MappingError("TypeError", str(error)) from error
        except RecursionError:
            raise MappingError("RangeError", _TOO_DEEP) from None

    return resolve


def check_mapping(mapping: object, place: Place = ()) -> None:
    """Raises MappingError for an invalid mapping; mistakes in the members of an object are collected."""
    if not isinstance(mapping, dict):
        return
    if option_type(mapping) == "directive":
        _check_directive(mapping, place)
        return
    gather(partial(check_mapping, member, (*place, key)) for key, member in ordered_items(mapping))


def _check_directive(mapping: dict[str, object], place: Place) -> None:
    names = [key for key in mapping if key.startswith("@")]
    others = [key for key in mapping if not key.startswith("@") and key != METADATA]
    if len(names) > 1:
        raise invalid(place, f"should only have one @-prefixed key but it has {len(names)} keys")
    if others:
        raise invalid(place, f"should only have one @-prefixed key but it has {len(mapping)} keys")
    name = names[0]
    if name not in DIRECTIVES:
        raise invalid(place, f"has an invalid directive: {name}")
    DIRECTIVES[name].rule(mapping[name], (*place, name), check_mapping)
