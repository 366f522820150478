"""The templates of `@liquid`: LiquidJS as Segment configures it, on python-liquid.

python-liquid reads the templates; values, filters, comparisons and look-ups follow LiquidJS 10.30. Loops and partials
are switched off, and so are the filters that go over lists at length.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from liquid.exceptions import LiquidError

from emulator.mapping.javascript.values import ConversionError, joined_units, utf16_units
from emulator.mapping.liquid.environment import read_template
from emulator.mapping.liquid.tags import SwitchedOffTag
from emulator.mapping.liquid.values import WrongValue
from emulator.mapping.mapping_error import MappingError


def compile_liquid(template: str, now: Callable[[], datetime]) -> Callable[[object], object]:
    """The rendering of a template against an event; `now` gives what the `date` filter calls `now`.

    `increment` and `decrement` write into the event that is rendered, as in LiquidJS.
    Raises MappingError: a ParseError at once for a template that cannot be read, a RenderError from the rendering.
    """
    try:
        compiled = read_template(template, now)
    except LiquidError as error:
        raise MappingError("ParseError", _message(error, template)) from error

    def render(event: object) -> object:
        try:
            return joined_units(compiled.rendered(_names_in(event)))
        except LiquidError as error:
            raise MappingError("RenderError", _message(error, template)) from error
        except ConversionError as error:
            raise MappingError("RenderError", str(error)) from error

    return render


def _names_in(event: object) -> dict[str, object]:
    """What a template may name: an object's members; the positions and length of a list or text; nothing otherwise."""
    if isinstance(event, dict):
        return event
    items = utf16_units(event) if isinstance(event, str) else event if isinstance(event, list) else None
    if items is None:
        return {}
    return {**{str(position): item for position, item in enumerate(items)}, "length": len(items)}


def _message(error: LiquidError, template: str) -> str:
    """LiquidJS's wording, with the place of the tag or output, for what is refused here; else python-liquid's own."""
    if not isinstance(error, WrongValue | SwitchedOffTag) or error.token is None:
        return str(error.args[0])
    before = template[: error.token.start_index]
    opening = max(before.rfind("{{"), before.rfind("{%"), 0)
    line = template.count("\n", 0, opening) + 1
    column = opening - template.rfind("\n", 0, opening)
    return f"{error.args[0]}, line:{line}, col:{column}"
