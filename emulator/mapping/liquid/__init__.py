"""The templates of `@liquid`: LiquidJS as Segment configures it, on python-liquid.

python-liquid parses the templates; values, filters, comparisons and look-ups follow LiquidJS 10.30. As at Segment,
loops, partials and the filters that iterate over arrays are disabled.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from liquid.exceptions import LiquidError

from emulator.mapping.engine_errors import MappingError
from emulator.mapping.javascript.values import ConversionError, joined_units, utf16_units
from emulator.mapping.liquid.environment import read_template
from emulator.mapping.liquid.tags import DisabledTagError
from emulator.mapping.liquid.values import FilterError


def compile_liquid(template: str, now: Callable[[], datetime]) -> Callable[[object], object]:
    """A function that renders the template for an event; `now` gives the value of `now` in the `date` filter.

    As in LiquidJS, `increment` and `decrement` write into the event. Raises MappingError: a ParseError for an invalid
    template, and a RenderError from the function.
    """
    try:
        compiled = read_template(template, now)
    except LiquidError as error:
        raise MappingError("ParseError", _message(error, template)) from error

    def render(event: object) -> object:
        try:
            return joined_units(compiled.rendered(_names_in(event)))
        except (LiquidError, ConversionError) as error:
            raise MappingError("RenderError", _message(error, template)) from error

    return render


def _names_in(event: object) -> dict[str, object]:
    """The variables of a template: the members of an object, or the items and `length` of an array or string."""
    if isinstance(event, dict):
        return event
    items = utf16_units(event) if isinstance(event, str) else event if isinstance(event, list) else None
    if items is None:
        return {}
    return {**{str(position): item for position, item in enumerate(items)}, "length": len(items)}


def _message(error: LiquidError | ConversionError, template: str) -> str:
    """LiquidJS's message with the position for errors raised here, otherwise python-liquid's own."""
    if not isinstance(error, FilterError | DisabledTagError) or error.token is None:
        return str(error.args[0])
    before = template[: error.token.start_index]
    opening = max(before.rfind("{{"), before.rfind("{%"), 0)
    line = template.count("\n", 0, opening) + 1
    column = opening - template.rfind("\n", 0, opening)
    return f"{error.args[0]}, line:{line}, col:{column}"
