"""The tree of a trigger: comparisons, levels of `and` and `or`, and what was corrected."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

FUNCTIONS = ("contains", "match")


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What is wrong with a trigger, a full sentence, and what to change, a clause: `write = instead of is`."""

    cause: str
    change: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One condition. `value` is written as in FQL: `"track"`, `5`, `null`."""

    field: str
    operator: str
    value: str

    def __str__(self) -> str:
        negation, name = ("!", self.operator[4:]) if self.operator.startswith("not_") else ("", self.operator)
        if name in FUNCTIONS and self.field == "type":
            return self._infix(name)
        if name in FUNCTIONS:
            return f"{negation}{name}({self.field}, {self.value})"
        return f"{self.field} {self.operator} {self.value}"

    def _infix(self, function: str) -> str:
        """Without the function, which the engine does not read for a type."""
        operator, value = self.operator, self.value
        if function == "match":
            starts = value.endswith('*"')
            operator = operator.replace("match", "starts_with" if starts else "ends_with")
            value = quoted(value[1:-2] if starts else value[2:-1])
        return f"{self.field} {operator} {value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """Conditions and groups; `joins` has the `and` or `or` between each two of them. The engine applies the last."""

    items: tuple[Item, ...]
    joins: tuple[str, ...]

    @property
    def operator(self) -> str:
        """What the engine applies to the whole level."""
        return self.joins[-1] if self.joins else "and"

    def __str__(self) -> str:
        texts = [f"({item})" if isinstance(item, Level) else str(item) for item in self.items]
        return " ".join(part for pair in zip(texts, (*self.joins, ""), strict=True) for part in pair if part)


Item: TypeAlias = Comparison | Level


def quoted(text: str) -> str:
    """A string of FQL."""
    return f'"{text}"'


def joined(items: tuple[Item, ...], operator: str) -> Level:
    """A level with one operator."""
    return Level(items=items, joins=(operator,) * (len(items) - 1))


def unwrapped(level: Level) -> Level:
    """Without parentheses around a single condition or the whole."""
    items = tuple(_unwrapped_item(item) for item in level.items)
    if len(items) == 1 and isinstance(items[0], Level):
        return items[0]
    return Level(items=items, joins=level.joins)


def _unwrapped_item(item: Item) -> Item:
    if isinstance(item, Level):
        item = unwrapped(item)
        return item.items[0] if len(item.items) == 1 else item
    return item


def flat(level: Level) -> Level:
    """The same with at most one level of parentheses: alternatives, each a list of conditions."""
    alternatives = [joined(tests, "and") for tests in _alternatives(level)]
    return joined(tuple(alternatives), "or")


def _alternatives(item: Item) -> list[tuple[Comparison, ...]]:
    if isinstance(item, Comparison):
        return [(item,)]
    parts = [_alternatives(each) for each in item.items]
    if item.operator == "or":
        return [tests for part in parts for tests in part]
    found: list[tuple[Comparison, ...]] = [()]
    for part in parts:
        found = [(*before, *tests) for before in found for tests in part]
    return found


def mixed(level: Level) -> bool:
    """Whether it has both `and` and `or`."""
    return any(one != other for one, other in pairwise(level.joins))


def grouped(level: Level, inner: str, outer: str) -> Level:
    """Groups of conditions joined by `inner`, joined by `outer`."""
    groups: list[list[Item]] = [[level.items[0]]]
    for join, item in zip(level.joins, level.items[1:], strict=True):
        if join == inner:
            groups[-1].append(item)
        else:
            groups.append([item])
    return joined(tuple(joined(tuple(group), inner) if len(group) > 1 else group[0] for group in groups), outer)
