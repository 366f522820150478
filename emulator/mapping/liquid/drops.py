"""The words `nil`, `empty` and `blank`, and the variable `block`: objects of LiquidJS with a value of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from emulator.mapping.javascript.values import UNDEFINED


class Drop:
    """An object that is printed and counted as its value; JSON writes it as `{}`, `String()` as `[object Object]`."""

    members: ClassVar[Mapping[str, object]] = {}

    def value(self) -> object:
        return self

    def __repr__(self) -> str:
        return "[object Object]"


_ORDER = dict.fromkeys(("gt", "geq", "lt", "leq"), False)


class Nil(Drop):
    """`nil` and `null`: equals null and a missing value, unlike a null of the event."""

    members: ClassVar[Mapping[str, object]] = {**_ORDER, "equals": True, "valueOf": None, "toString": "[object Object]"}

    def value(self) -> object:
        return None


class Empty(Drop):
    """`empty`: equals an empty string, array or object."""

    members: ClassVar[Mapping[str, object]] = {**_ORDER, "equals": False, "valueOf": "", "toString": "[object Object]"}

    def value(self) -> object:
        return ""


class Blank(Empty):
    """`blank`: equals everything that `empty` equals, false, null, and a string of white space."""

    members: ClassVar[Mapping[str, object]] = {**Empty.members, "equals": True}


class Block(Drop):
    """The variable `block` within `{% block %}`. There is no layout, so `block.super` is empty."""

    members: ClassVar[Mapping[str, object]] = {"super": "", "superBlockRender": ""}


WORDS: Mapping[str, object] = {
    "true": True,
    "false": False,
    "nil": Nil(),
    "empty": Empty(),
    "blank": Blank(),
}
"""The value of each word; `null` is the same as `nil`."""


def plain(value: object) -> object:
    """The value of a drop, otherwise the value itself."""
    return value.value() if isinstance(value, Drop) else value


def drop_member(drop: Drop, name: str) -> object:
    """What LiquidJS reads from a drop: the results of its methods."""
    return drop.members.get(name, UNDEFINED)
