"""The templates of `@liquid`: LiquidJS as Segment configures it, on python-liquid.

python-liquid reads the templates; values, filters, comparisons and look-ups follow LiquidJS 10.30. Loops and partials
are switched off, and so are the filters that go over lists at length.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from liquid.exceptions import LiquidError

from emulator.mapping.javascript import ConversionError, joined_units
from emulator.mapping.liquid.environment import SwitchedOffTag, environment
from emulator.mapping.liquid.values import WrongValue
from emulator.mapping.mapping_error import MappingError

MAX_TEMPLATE_LENGTH = 1000


def compile_liquid(template: str, now: Callable[[], datetime]) -> Callable[[object], object]:
    """The rendering of a template against an event; `now` gives what the `date` filter calls `now`.

    Raises MappingError: a ParseError at once for a template that cannot be read, a RenderError from the rendering.
    """
    try:
        compiled = environment(now).from_string(template)
    except LiquidError as error:
        raise MappingError("ParseError", _message(error, template)) from error

    def render(event: object) -> object:
        try:
            return joined_units(compiled.render(event if isinstance(event, dict) else {}))
        except LiquidError as error:
            raise MappingError("RenderError", _message(error, template)) from error
        except ConversionError as error:
            raise MappingError("RenderError", str(error)) from error

    return render


def _message(error: LiquidError, template: str) -> str:
    """LiquidJS's wording, with the place of the tag or output, for what is refused here; else python-liquid's own."""
    if not isinstance(error, WrongValue | SwitchedOffTag) or error.token is None:
        return str(error.args[0])
    before = template[: error.token.start_index]
    opening = max(before.rfind("{{"), before.rfind("{%"), 0)
    line = template.count("\n", 0, opening) + 1
    column = opening - template.rfind("\n", 0, opening)
    return f"{error.args[0]}, line:{line}, col:{column}"
