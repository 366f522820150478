"""The templates of `@liquid`: LiquidJS 10.30 as Segment configures it.

`template_tokens` splits a template, `template_parser` and `tags` read its tags, `reader` reads what is in them, and
`expressions` evaluates that.
As in LiquidJS, a mistake in a template is a ParseError or TokenizationError, a failure on an event a RenderError.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from emulator.mapping.engine_errors import MappingError
from emulator.mapping.javascript.values import joined_units
from emulator.mapping.liquid.filters import FILTERS
from emulator.mapping.liquid.rendering import Context, Output, names_in
from emulator.mapping.liquid.tags import TAGS
from emulator.mapping.liquid.template_errors import LiquidFailure, TemplateError
from emulator.mapping.liquid.template_parser import Parser, render_nodes
from emulator.mapping.liquid.values import units


def compile_liquid(template: str, now: Callable[[], datetime]) -> Callable[[object], object]:
    """A function that renders the template for an event; `now` gives the value of `now` in the `date` filter.

    As in LiquidJS, `increment` and `decrement` write into the event. Raises MappingError for an invalid template, and
    from the function.
    """
    try:
        nodes = Parser(TAGS).template(units(template))
    except TemplateError as error:
        raise MappingError(error.name, str(error)) from None
    except LiquidFailure as failure:
        raise MappingError("TypeError", str(failure)) from None
    except RecursionError:
        raise MappingError("RangeError", "Maximum call stack size exceeded") from None

    def render(event: object) -> object:
        output = Output()
        try:
            render_nodes(nodes, Context(names_in(event), FILTERS, now), output)
        except TemplateError as error:
            raise MappingError(error.name, str(error)) from None
        return joined_units(output.text())

    return render
