"""What a screen is, and what its module gets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from emulator.console.actions import Action
from emulator.console.control_api import ControlAPI
from emulator.console.view import View

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """`path` follows `/console/`; `values` reads what the template, `{template}.html`, shows.

    A screen that is reached from another one is `under` the path of that one, and not in the navigation. `actions` are
    its buttons; `script` is its own module, `static/{script}.js`. `values` may raise Refused: the page then shows the
    answer of the control API in its place.
    """

    group: str
    name: str
    path: str
    template: str
    values: Callable[[ControlAPI, View], Values]
    actions: tuple[Action, ...] = ()
    script: str | None = None
    under: str | None = None
