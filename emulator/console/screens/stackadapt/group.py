"""What the screens of this group share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from emulator.console.control_api import ControlAPI
from emulator.console.screens.developer.reasons import reason_link
from emulator.console.tables import Cell
from emulator.console.times import left
from emulator.console.view import View

GROUP: Final = "StackAdapt › Audience & Attribution › Customer Data"
PAGE: Final = 50


def advertisers_of(api: ControlAPI, view: View) -> Mapping[str, str]:
    """The names of the advertisers by their ids."""
    found: Mapping[str, str] = api.get(f"sandboxes/{view.sandbox}")["advertisers"]
    return found


def queue_of(api: ControlAPI) -> dict[str, Any] | None:
    """How many records are queued, and how long it takes at most until they are visible; None without any."""
    counts = api.get("counts")["stackadapt"]
    number, last = counts["records"]["queued"], counts["lastDueAt"]
    return {"number": number, "left": left(api.get("clock")["now"], last)} if number and last else None


def queued_record(api: ControlAPI, name: str) -> dict[str, Any] | None:
    """When the first queued record with an email or id becomes visible; None without one."""
    # The email of a record is known by its value only before the record is read.
    found = api.get("records", outcome="queued", externalId=name, limit=1)["records"]
    if not found:
        return None
    return {"at": found[0]["dueAt"], "left": left(api.get("clock")["now"], found[0]["dueAt"])}


def pages(view: View, shown: int, *, size: int = PAGE, name: str = "offset") -> dict[str, Any]:
    """The addresses of the pages before and after one of `shown` items, where one more than `size` was asked for."""
    start = view.number(name)
    before, after = max(start - size, 0) or None, start + size
    return {
        "before": view.here(**{name: before}) if start else None,
        "after": view.here(**{name: after}) if shown > size else None,
    }


def reason_cell(view: View, reason: str | None) -> Cell:
    """A reason with the link that explains it."""
    return Cell(reason, reason_link(view, reason), reason=True)


def request_cell(view: View, text: Any, trace: str) -> Cell:
    """A link to the request that brought something, where it is known."""
    return Cell(text, view.link("requests", trace=trace) if trace else None)


def document_cell(view: View, values: Mapping[str, Any]) -> Cell:
    """A record on one line; its keys only where personal data is hidden."""
    return Cell(", ".join(key if view.masked else f"{key}: {value}" for key, value in values.items()))


def person_cell(view: View, *names: Any) -> Cell:
    """The first name that is known, with the link to the person."""
    name = next((str(each) for each in names if each), None)
    return Cell(name, view.link("person", person=name) if name else None)
