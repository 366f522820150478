"""Documentation: the pages that come with the package, and a search in all of them."""

from __future__ import annotations

import re
from typing import Any

from emulator.console.control_api import ControlAPI
from emulator.console.screens.developer.reasons import reason_codes
from emulator.console.screens.screen import Screen, Values
from emulator.console.view import Address, View

# The page whose table has the names of the screens.
_CONSOLE = "console"
_FIRST_CELL = re.compile(r"^\| ([A-Z][A-Za-z ]*) \|", re.MULTILINE)


def page_link(view: View, page: str, anchor: str | None = None) -> Address:
    """The address of a page, at one of its headings."""
    link = view.link("documentation", page=page)
    return Address(f"{link}#{anchor}") if anchor else link


def _values(api: ControlAPI, view: View) -> Values:
    text, page = view.get("text"), view.get("page")
    answer = api.get("documentation", text=text)
    return {
        "pages": [(each["page"], each["title"], page_link(view, each["page"])) for each in answer["pages"]],
        "found": [(each, page_link(view, each["page"], each["anchor"])) for each in answer["found"]],
        "total": answer["total"],
        "curl": view.curl("documentation", text=text) if text else None,
        "page": _page(api, view, page) if page else None,
    }


def _page(api: ControlAPI, view: View, page: str) -> dict[str, Any]:
    from emulator.console.markdown import to_html  # one screen needs the parser

    answer = api.get(f"documentation/{page}")
    linked = {code: f"{view.link('reasons')}#{code}" for code in reason_codes("reasons", "warnings", "segment")}
    if page == _CONSOLE:
        linked |= {name: _screen_link(view, name) for name in _FIRST_CELL.findall(answer["text"])}
    anchors = [each["anchor"] for each in answer["headings"]]
    return {
        "name": page,
        "html": to_html(answer["text"], view, anchors=anchors, linked=linked),
        "headings": [each for each in answer["headings"] if each["level"] > 1],
    }


def _screen_link(view: View, name: str) -> Address:
    """The address of a screen, whose path is the last word of its name."""
    path = name.split()[-1].lower()
    return view.link("" if path == "overview" else path)


SCREEN = Screen(
    group="Developer",
    name="Documentation",
    path="documentation",
    template="developer/documentation",
    values=_values,
)
