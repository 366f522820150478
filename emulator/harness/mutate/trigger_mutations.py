"""The mutations of a trigger: of its conditions as the engine reads them, written as FQL again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

from emulator.errors import InputError
from emulator.harness.mutate.mutation import CHANGE_OPERATOR, DROP_CONDITION, SWAP_JOIN, SWAP_SOURCE
from emulator.harness.mutate.sources import other_sources
from emulator.harness.trigger_conditions import Tree, conditions_of, trigger_of
from emulator.mapping import compile_trigger

_OPPOSITES: Final = (
    ("=", "!="),
    ("exists", "not_exists"),
    ("is_true", "is_false"),
    ("contains", "not_contains"),
    ("starts_with", "not_starts_with"),
    ("ends_with", "not_ends_with"),
    ("<", "<="),
    (">", ">="),
)
OTHER_OPERATOR: Final[Mapping[str, str]] = dict([*_OPPOSITES, *((other, one) for one, other in _OPPOSITES)])
_OTHER_JOIN: Final = {"and": "or", "or": "and"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerChange:
    """A changed trigger."""

    kind: str
    text: str


def trigger_changes(text: str) -> Iterator[TriggerChange]:
    """The changes of a trigger; none of one that cannot be parsed. What FQL cannot express is left out."""
    trigger = compile_trigger(text)
    tree = conditions_of(trigger).tree
    if tree is None:
        return
    for kind, changed in _group_changes(tree):
        try:
            written = trigger_of(changed)
        except InputError:
            continue
        if written and compile_trigger(written).tree != trigger.tree:
            yield TriggerChange(kind=kind, text=written)


def _group_changes(group: Tree) -> Iterator[tuple[str, Tree]]:
    conditions = group["conditions"]
    if len(conditions) > 1:
        for position in range(len(conditions)):
            yield DROP_CONDITION, {**group, "conditions": [*conditions[:position], *conditions[position + 1 :]]}
        yield SWAP_JOIN, {**group, "operator": _OTHER_JOIN[group["operator"]]}
    for position, each in enumerate(conditions):
        changes = _group_changes(each) if "conditions" in each else _condition_changes(each)
        for kind, changed in changes:
            yield kind, {**group, "conditions": [*conditions[:position], changed, *conditions[position + 1 :]]}


def _condition_changes(condition: Tree) -> Iterator[tuple[str, Tree]]:
    yield CHANGE_OPERATOR, {**condition, "operator": OTHER_OPERATOR[condition["operator"]]}
    if "name" in condition:
        for path in other_sources(f"{condition['field']}.{condition['name']}"):
            changed: dict[str, Any] = deepcopy(condition)
            changed["field"], changed["name"] = path.split(".", 1)
            yield SWAP_SOURCE, changed
