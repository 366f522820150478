"""The mutations of a mapping: of its fixed values, of the paths that it reads, and of the order in which it does."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Final

from emulator.harness.mutate.mutation import (
    CHANGE_VALUE,
    DROP_ARM,
    RENAME_KEY,
    SWAP_EMAIL,
    SWAP_SOURCE,
    Path,
    shown,
)
from emulator.harness.mutate.sources import other_sources
from emulator.mapping import Field

_PATH, _IF, _LITERAL, _TEMPLATE, _ARRAY_PATH = "@path", "@if", "@literal", "@template", "@arrayPath"
_TESTS: Final = ("exists", "blank")
_EMAIL: Final = "email"
_RENAMED: Final = "_renamed"
# A value in a template: `{{traits.plan}}`.
_INSERTED: Final = re.compile(r"\{\{\{?\s*([\w.$-]+)\s*\}?\}\}")
# A test and the value that is taken if it passes; no test for the last one.
Arm = tuple[str | None, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingChange:
    """A change of the value at a path within a mapping. `named` is the place to name, where that is another one."""

    kind: str
    path: Path
    old: Any
    new: Any
    before: str
    after: str
    named: Path | None = None


def mapping_changes(mapping: Mapping[str, Any], fields: Sequence[Field]) -> Iterator[MappingChange]:
    """The changes of a mapping of an action with these fields."""
    known = {field.key: field for field in fields}
    for name, value in mapping.items():
        yield from _below((name,), _changes(value, known.get(name), name))


def _changes(value: Any, field: Field | None, name: str, *, alone: bool = True) -> Iterator[MappingChange]:
    """The changes of a value. One that is not `alone` has others that are used instead of it."""
    arms = _arms(value)
    if arms is not None:
        yield from _arm_changes(value, arms, field, name)
    elif isinstance(value, Mapping) and len(value) == 1 and next(iter(value)).startswith("@"):
        ((directive, options),) = value.items()
        yield from _directive_changes(directive, options, field, name, alone=alone)
    elif isinstance(value, Mapping):
        yield from _member_changes(value, field)
    elif isinstance(value, list):
        for position, each in enumerate(value):
            yield from _below((position,), _changes(each, _item_of(field), name))
    elif value is not None:
        changed = _other_value(value, field)
        yield _change(CHANGE_VALUE, value, changed)


def _item_of(field: Field | None) -> Field | None:
    return field and replace(field, multiple=False)


def _other_value(value: Any, field: Field | None) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    others = (choice for choice in (field.choices if field else ()) if choice != value)
    return next(others, f"{value}{_RENAMED}")


def _member_changes(value: Mapping[str, Any], field: Field | None) -> Iterator[MappingChange]:
    known = {each.key: each for each in field.properties} if field else {}
    for name, each in value.items():
        if name not in known:
            renamed = {(f"{key}{_RENAMED}" if key == name else key): inner for key, inner in value.items()}
            yield MappingChange(
                kind=RENAME_KEY,
                path=(),
                old=value,
                new=renamed,
                before=name,
                after=f"{name}{_RENAMED}",
                named=(name,),
            )
        yield from _below((name,), _changes(each, known.get(name), name))


def _directive_changes(
    directive: str, options: Any, field: Field | None, name: str, *, alone: bool
) -> Iterator[MappingChange]:
    if directive == _PATH and isinstance(options, str):
        for kind, path in _other_paths(options, alone=alone):
            yield _change(kind, {_PATH: options}, {_PATH: path})
    elif directive == _TEMPLATE and isinstance(options, str):
        for match in _INSERTED.finditer(options):
            for kind, path in _other_paths(match[1], alone=True):
                changed = f"{options[: match.start(1)]}{path}{options[match.end(1) :]}"
                yield _change(kind, {_TEMPLATE: options}, {_TEMPLATE: changed})
    elif directive == _LITERAL:
        yield from _below((_LITERAL,), _changes(options, field, name))
    elif directive == _IF and isinstance(options, Mapping):
        yield from _choice_changes(options, field, name)
    elif directive == _ARRAY_PATH and isinstance(options, list):
        yield from _array_changes(options, name)
    else:
        yield from _below((directive,), _nested_changes(options, name))


def _array_changes(options: list[Any], name: str) -> Iterator[MappingChange]:
    """The changes of an `@arrayPath`: of the path to the array, and of what is made of each of its items."""
    for position, each in enumerate(options):
        if not isinstance(each, str):
            yield from _below((_ARRAY_PATH, position), _nested_changes(each, name))
        elif position == 0:
            for kind, path in _other_paths(each, alone=True):
                yield _change(kind, {_ARRAY_PATH: options}, {_ARRAY_PATH: [path, *options[1:]]})


def _nested_changes(options: Any, name: str) -> Iterator[MappingChange]:
    """The changes of the mappings within the options of a directive; its other options stay."""
    if isinstance(options, Mapping) and len(options) == 1 and next(iter(options)).startswith("@"):
        yield from _changes(options, None, name)
    elif isinstance(options, Mapping | list):
        inner = options.items() if isinstance(options, Mapping) else enumerate(options)
        for key, each in inner:
            yield from _below((key,), _nested_changes(each, name))


def _choice_changes(options: Mapping[str, Any], field: Field | None, name: str) -> Iterator[MappingChange]:
    """The changes of an `@if` that tests another value than the one that it takes."""
    branches = [branch for branch in ("then", "else") if branch in options]
    if len(branches) > 1:
        for branch in branches:
            yield _change(DROP_ARM, {_IF: options}, options[branch])
    for branch in (*_TESTS, *branches):
        if branch in options:
            own = None if branch in _TESTS else field
            yield from _below((_IF, branch), _changes(options[branch], own, name))


def _arms(value: Any) -> list[Arm] | None:
    """The arms of an `@if` that takes what it tests, and of those in its `else`; None for anything else."""
    options = value.get(_IF) if isinstance(value, Mapping) and len(value) == 1 else None
    if not isinstance(options, Mapping) or "then" not in options or "else" not in options:
        return None
    test = next((name for name in _TESTS if name in options), None)
    if test is None or options[test] != options["then"] or len(options) > len(("test", "then", "else")):
        return None
    return [(test, options["then"]), *(_arms(options["else"]) or [(None, options["else"])])]


def _of_arms(arms: Sequence[Arm]) -> Any:
    *first, (_, value) = arms
    for test, then in reversed(first):
        value = {_IF: {test or _TESTS[0]: then, "then": then, "else": value}}
    return value


def _arm_changes(value: Any, arms: list[Arm], field: Field | None, name: str) -> Iterator[MappingChange]:
    for position in range(len(arms)):
        yield _change(DROP_ARM, value, _of_arms([*arms[:position], *arms[position + 1 :]]))
    taken = [each for _, each in arms]
    if name == _EMAIL:
        for position in range(len(arms) - 1):
            order = [*taken[:position], taken[position + 1], taken[position], *taken[position + 2 :]]
            yield _change(
                SWAP_EMAIL, value, _of_arms([(test, each) for (test, _), each in zip(arms, order, strict=True)])
            )
    for position, (test, each) in enumerate(arms):
        for change in _changes(each, field, name, alone=False):
            changed = _put(each, change.path, change.new)
            # With another source of the same value this arm decides nothing: as if it were dropped.
            if changed not in taken:
                yield _change(change.kind, value, _of_arms([*arms[:position], (test, changed), *arms[position + 1 :]]))


def _other_paths(path: str, *, alone: bool) -> Iterator[tuple[str, str]]:
    """Kinds and paths in place of a path. Where there are others, a wrong name is as if it were dropped."""
    yield from ((SWAP_SOURCE, other) for other in other_sources(path))
    if alone and not path.endswith("]"):
        yield RENAME_KEY, f"{path}{_RENAMED}"


def _put(value: Any, path: Path, new: Any) -> Any:
    if not path:
        return new
    copy = deepcopy(value)
    inner = copy
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = new
    return copy


def _change(kind: str, old: Any, new: Any) -> MappingChange:
    return MappingChange(kind=kind, path=(), old=old, new=new, before=shown(old), after=shown(new))


def _below(way: Path, changes: Iterator[MappingChange]) -> Iterator[MappingChange]:
    for each in changes:
        named = None if each.named is None else tuple(chain(way, each.named))
        yield replace(each, path=(*way, *each.path), named=named)
