"""The line of a place in YAML: `destinations[0].settings`, `token 'CI': expiresAt`, as errors and findings name it."""

from __future__ import annotations

import re
from ast import literal_eval
from collections.abc import Callable

import yaml

# A position in a list, the name of an item of one, or a key.
_STEP = re.compile(r"""\[(\d+)\]|(\w+\ (?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"))|([^.,:\[\]\s][^.\[\]]*)""")
_NAMES = ("name", "id", "key")


def lines_in(text: str) -> Callable[[str], int | None]:
    """Finds the line, from 1, of a place in YAML, or of the last part of it that exists; None where nothing does.

    Raises YAMLError for what is no YAML.
    """
    top = yaml.compose(text, yaml.SafeLoader)

    def line(place: str) -> int | None:
        node, found = top, None
        for position, named, key in _STEP.findall(place):
            step = _named(node, named) if named else _item(node, position, key)
            if step is None:
                break
            node, found = step
        return found

    return line


def _item(node: yaml.Node | None, position: str, key: str) -> tuple[yaml.Node, int] | None:
    """The node below another one, and the line where it begins."""
    if position and isinstance(node, yaml.SequenceNode) and int(position) < len(node.value):
        item = node.value[int(position)]
        return item, item.start_mark.line + 1
    if key and isinstance(node, yaml.MappingNode):
        return next(((value, name.start_mark.line + 1) for name, value in node.value if name.value == key), None)
    return None


def _named(node: yaml.Node | None, text: str) -> tuple[yaml.Node, int] | None:
    """The item that `token 'CI'` names: the one with this name in the list `tokens`."""
    kind, name = text.split(" ", 1)
    found = _item(node, "", f"{kind}s")
    for item in found[0].value if found and isinstance(found[0], yaml.SequenceNode) else ():
        names = [value for each in _NAMES if (value := _item(item, "", each))]
        if any(value.value == literal_eval(name) for value, _ in names):
            return item, item.start_mark.line + 1
    return None
