"""Templates: every value is escaped where it is printed, and masked where the page asks for that."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup, escape

from emulator.console.screens import ACTIONS
from emulator.console.view import Address
from emulator.text import without_addresses

_FOLDER: Final = Path(__file__).resolve().parent / "templates"
_MASK: Final = "***"
# A page stays small whatever a value is; the whole of it is in the answer of the control API.
_LONGEST: Final = 20_000


@cache
def _environment(masked: bool) -> Environment:
    """An environment for each kind of page: a macro cannot see whether the page that calls it is masked."""
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_masked_text if masked else _text,
    )
    environment.filters["document"] = _masked_document if masked else _document
    # Bodies of actions are sent as they are, masked or not: no page shows them.
    environment.filters["tojson_text"] = lambda value: escape(json.dumps(value))
    environment.filters["prose"] = _prose
    environment.globals["actions"] = ACTIONS
    return environment


def render(template: str, *, masked: bool, **values: Any) -> str:
    """The HTML of a template."""
    return _environment(masked).get_template(template).render(values)


def _prose(text: str) -> Markup:
    """A sentence that comes with the package, with its code between backticks shown as such."""
    parts = enumerate(text.split("`"))
    return Markup().join(Markup("<code>{}</code>").format(part) if at % 2 else escape(part) for at, part in parts)


def _text(value: Any) -> Any:
    if value is None:
        return ""
    return value if isinstance(value, Markup) else _cut(str(value))


def _masked_text(value: Any) -> Any:
    if isinstance(value, Markup | Address):
        return value
    return "" if value is None else without_addresses(_cut(str(value)))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} … ({len(text)} characters)"


def _document(value: Any) -> str:
    """JSON to read; a string that is JSON is shown as such."""
    if isinstance(value, str):
        try:
            parsed = json.loads(value)
        except (ValueError, RecursionError):
            return value
        return _document(parsed) if not isinstance(parsed, str) else value
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def _masked_document(value: Any) -> str:
    return _MASK if isinstance(value, str) else _document(_without_values(value))


def _without_values(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_values(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_without_values(each) for each in value]
    return value if isinstance(value, bool) or value is None else _MASK
