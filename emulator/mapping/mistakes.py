"""What is wrong with a mapping whatever the event is, with its place.

The engine validates most of a mapping, and finds the rest when it resolves an event: templates, options of directives
in arrays, branches of `@if` that few events take. Here every directive is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

from emulator.mapping.engine_errors import Failing, MappingError
from emulator.mapping.javascript.values import ConversionError
from emulator.mapping.paths import chunks_of, without_root
from emulator.mapping.resolve import ROOT_KEY, MappingCompiler, check_mapping, directive_of, unfold_root

Place: TypeAlias = tuple[str | int, ...]

_AT = datetime(2026, 1, 1, tzinfo=UTC)
_BRACES = re.compile(r"\{[{%](.*?)[%}]\}", re.DOTALL)
_NAME = re.compile(r"[\w$][\w$.\[\]'\"-]*")
_LEAVES: tuple[object, ...] = ("text", 1, ["text"], {"text": "text"}, None)


@dataclass(frozen=True, slots=True)
class MappingMistake:
    """Where in the mapping, and the engine's message."""

    place: Place
    message: str


def mapping_mistakes(mapping: Mapping[str, object]) -> list[MappingMistake]:
    """Everything for which the engine rejects the mapping, or fails where an event needs the part that it is in.

    A directive that reads the event counts if it fails on an event without and on events with everything that it reads.
    """
    try:
        found = list(_refused(mapping))
        search = _Search(mapping)
        found += [each for each in search.within((), mapping) if not _is_known(each, found)]
        if not found and (message := search.failure(mapping)):
            found.append(MappingMistake((), message))
    except RecursionError:
        return [MappingMistake((), "Maximum call stack size exceeded")]
    return found


def _is_known(mistake: MappingMistake, known: list[MappingMistake]) -> bool:
    """Whether the place, a part of it or what it is a part of has a mistake."""
    pairs = ((mistake.place, each.place) for each in known)
    return any(one[: len(other)] == other[: len(one)] for one, other in pairs)


def _refused(mapping: Mapping[str, object]) -> Iterator[MappingMistake]:
    try:
        check_mapping(unfold_root(mapping))
    except MappingError as error:
        for place, problem in zip(error.places, error.problems, strict=True):
            yield MappingMistake(_folded(place) if ROOT_KEY in mapping else place, problem)


def _folded(place: tuple[str, ...]) -> Place:
    """A place in the mapping as it is written, where the fields are beside the root directive."""
    return place[2:] if place[1:2] == ("mapping",) and len(place) > 2 else (ROOT_KEY, *place)


class _Search:
    def __init__(self, mapping: Mapping[str, object]) -> None:
        self._compiler = MappingCompiler(lambda: _AT)
        names = sorted(set(_names_in(mapping)), key=len)
        self._events: list[object] = [{}]
        for leaf in _LEAVES:
            self._events += [_event(names, leaf), _event(names[::-1], leaf)]

    def within(self, place: Place, value: object) -> Iterator[MappingMistake]:
        """The innermost directives with a mistake."""
        parts: list[tuple[str | int, object]] = []
        if isinstance(value, dict):
            parts = list(value.items())
        elif isinstance(value, list):
            parts = list(enumerate(value))
        clean = True
        for key, part in parts:
            for mistake in self.within((*place, key), part):
                clean = False
                yield mistake
        if clean and isinstance(value, dict) and (name := directive_of(value)) is not None:
            message = self._mistake_of(value)
            if message is not None:
                yield MappingMistake((*place, name), message)

    def _mistake_of(self, directive: dict[str, object]) -> str | None:
        resolver = self._compiler.value(directive)
        if isinstance(resolver, Failing):
            return resolver.error.message
        return self._common_failure(directive)

    def _common_failure(self, directive: dict[str, object]) -> str | None:
        """The first message if the directive fails on every event."""
        messages = [self._failure_on(directive, event) for event in self._events]
        return messages[0] if all(message is not None for message in messages) else None

    def _failure_on(self, directive: dict[str, object], event: object) -> str | None:
        try:
            self._compiler.value(directive)(deepcopy(event))
        except MappingError as error:
            return error.message
        except ConversionError as error:
            return str(error)
        return None

    def failure(self, mapping: Mapping[str, object]) -> str | None:
        """The message of the whole mapping if it fails on every event."""
        resolve = self._compiler.checked(mapping)
        messages: list[str] = []
        for event in self._events:
            try:
                resolve(deepcopy(event))
            except MappingError as error:
                messages.append(error.message)
        return messages[0] if len(messages) == len(self._events) else None


def _names_in(value: object) -> Iterator[str]:
    """Whatever may be the path of a value of the event."""
    if isinstance(value, str):
        yield without_root(value)
        for braces in _BRACES.findall(value):
            yield from _NAME.findall(braces)
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _names_in(part)


def _event(names: list[str], leaf: object) -> dict[str, object]:
    """An event with a value at each of the paths; where two collide, the later one wins."""
    event: dict[str, object] = {}
    for name in names:
        *outer, last = chunks_of(name) or (".",)
        within = event
        for key in outer:
            inner = within.get(key)
            if not isinstance(inner, dict):
                inner = within[key] = {}
            within = inner
        within[last] = deepcopy(leaf)
    return event
