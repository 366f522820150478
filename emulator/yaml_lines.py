"""The line of a place in YAML: `destinations[0].settings` as errors and findings name it."""

from __future__ import annotations

import re
from collections.abc import Callable

import yaml

# A key, or a position in a list.
_STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


def lines_in(text: str) -> Callable[[str], int | None]:
    """Finds the line, from 1, of a place in YAML, or of the last part of it that exists; None where nothing does.

    Raises YAMLError for what is no YAML.
    """
    top = yaml.compose(text, yaml.SafeLoader)

    def line(place: str) -> int | None:
        node, found = top, None
        for position, key in _STEP.findall(place):
            step = _item(node, position, key)
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
