"""Events of a sandbox as JSON, for a journal that several processes share."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, get_origin, get_type_hints

from emulator.events import KINDS, Event

# By the names of their classes, as databases have them.
_KINDS: Final[Mapping[str, type[Event]]] = MappingProxyType({kind.__name__: kind for kind in KINDS.values()})
_READERS: Final[Mapping[Any, Callable[[Any], Any]]] = MappingProxyType({datetime: datetime.fromisoformat, tuple: tuple})


def _converted(kind: type[Event]) -> Mapping[str, Callable[[Any], Any]]:
    types = get_type_hints(kind)
    readers = ((each.name, _READERS.get(get_origin(types[each.name]) or types[each.name])) for each in fields(kind))
    return {name: read for name, read in readers if read is not None}


# The fields of each kind; and those whose values are not those of JSON, with how each is read.
_NAMES: Final = {name: tuple(each.name for each in fields(kind)) for name, kind in _KINDS.items()}
_CONVERTED: Final = {name: _converted(kind) for name, kind in _KINDS.items()}


def kind_of(event: Event) -> str:
    """The name under which `read_event` knows its kind."""
    return type(event).__name__


def written(event: Event) -> str:
    """The fields of an event as a JSON object, in ASCII."""
    return json.dumps({name: getattr(event, name) for name in _NAMES[kind_of(event)]}, default=_written_value)


def read_event(kind: str, text: str) -> Event:
    """The event that `written` wrote."""
    given = json.loads(text)
    for name, read in _CONVERTED[kind].items():
        if given[name] is not None:
            given[name] = read(given[name])
    return _KINDS[kind](**given)


def _written_value(value: Any) -> Any:
    """What JSON has for a value that it does not know."""
    return value.isoformat() if isinstance(value, datetime) else dict(value)
