"""Coverage: what the traffic of the sandbox has exercised, and what it never did, each with where it is defined."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from emulator.console.control_api import ControlAPI, Refused
from emulator.console.screens.developer.fidelity import row_link
from emulator.console.screens.developer.reasons import reason_link
from emulator.console.screens.finding_fixes import name_of
from emulator.console.screens.screen import Screen, Values
from emulator.console.tables import Cell, Row, Table, rows_of
from emulator.console.view import Address, View

Json = Mapping[str, Any]
# Where an item is defined, by the name of its section and its own; None where the console has no page for it.
Link = Callable[[str, str], Address | None]

# Of each kind where all are shown; of one kind on its own.
_FEW, _PAGE = 10, 100
_FROM: Final = "from"
# The kind of fault with which a request ends so.
_FAULTS: Final[Mapping[str, str]] = MappingProxyType(
    {"status 429": "status", "status 5xx": "status", "userErrors": "userErrors", "not GraphQL": "notJson"}
)
_RECORDS: Final = "records of "


def _values(api: ControlAPI, view: View) -> Values:
    coverage = api.get("coverage")
    groups, chosen = coverage["groups"], view.get("group")
    if chosen is not None and chosen not in groups:
        raise Refused(404, {"message": "unknown kind of item", "found": chosen, "allowed": ", ".join(groups)})
    links = _links(api, view)
    shown = [chosen] if chosen else [name for name, group in groups.items() if group["inTotal"]]
    return {
        "total": coverage["total"],
        "notes": coverage["notes"],
        "kinds": _kinds(view, groups),
        "items": [_items(view, name, groups[name], links[name], alone=bool(chosen)) for name in shown],
        "curl": view.curl("coverage"),
    }


def _kinds(view: View, groups: Mapping[str, Json]) -> Table:
    def row(pair: tuple[str, Json]) -> Row:
        name, group = pair
        percent, never = group["percent"], group["total"] - group["covered"]
        return Row(
            [
                Cell(group["title"], view.link("coverage", group=name)),
                Cell(group["covered"], view.link("coverage", group=name, covered="on") if group["covered"] else None),
                Cell(never, view.link("coverage", group=name) if never else None),
                Cell("nothing to cover" if percent is None else f"{percent} %"),
                Cell("yes" if group["inTotal"] else "no"),
            ],
            selected=name == view.get("group"),
        )

    columns = ("Kind", "Exercised", "Never", "Percent", "In the total")
    return Table(caption="Kinds", columns=columns, rows=rows_of(groups.items(), row), empty="There is no kind.")


def _items(view: View, name: str, group: Json, link: Link, *, alone: bool) -> Table:
    """The items that were exercised, where the address asks for them, else those that never were."""
    covered = alone and view.get("covered") == "on"
    found = [*_with_sections(group["sections"], covered=covered)]
    size, start = (_PAGE, view.number(_FROM)) if alone else (_FEW, 0)
    after = start + size < len(found)

    def row(item: tuple[str, str, str]) -> Row:
        section, shown, text = item
        return Row([Cell(shown), Cell(text, link(section, text))])

    return Table(
        caption=f"{group['title']}, {'exercised' if covered else group['missing']} ({len(found)})",
        columns=("Of", "Item"),
        rows=rows_of(found[start : start + size], row),
        empty="None.",
        before=view.here(**{_FROM: max(start - size, 0) or None}) if start else None,
        after=view.link("coverage", **{**view.arguments, "group": name, _FROM: start + size}) if after else None,
    )


def _with_sections(sections: list[Json], *, covered: bool) -> Iterator[tuple[str, str, str]]:
    """The section of each item, the name under which it is shown, which tells two of one name apart, and the item."""
    named = Counter(section["name"] for section in sections)
    for section in sections:
        name = section["name"]
        shown = f"{name} ({section['digest']})" if named[name] > 1 else name
        yield from ((name, shown, item) for item, found in section["items"].items() if found == covered)


def _links(api: ControlAPI, view: View) -> Mapping[str, Link]:
    """By the kind of item."""
    mappings = {
        f"{destination['name']} / {name_of(each)}": view.link(
            "destinations/mapping", destination=destination["name"], mapping=name_of(each)
        )
        for destination in api.get("workspace/destinations")["items"]
        for each in destination.get("subscriptions", ())
    }
    joined = {each["key"]: view.link("audiences", audience=each["key"]) for each in api.get("audiences")["audiences"]}
    for journey in api.get("journeys")["journeys"]:
        for step in journey["steps"]:
            joined[step["key"]] = view.link("journeys", journey=journey["id"], step=step["key"])

    def at_step(name: str) -> Link:
        return lambda section, _: Address(f"{mappings[section]}#{name}") if section in mappings else None

    return {
        "audiences": lambda _, item: joined.get(item.rpartition(": ")[0]),
        "triggers": at_step("trigger-step"),
        "sent": lambda section, item: _sent_link(view, section, item),
        "responses": lambda section, _: _requests(view, section),
        "fields": at_step("fields-step"),
        "mappings": at_step("fields-step"),
        "arguments": lambda _section, _item: view.link("graphql"),
        "outcomes": lambda section, item: _outcome_link(view, section, item),
        "operations": lambda _section, _item: view.link("graphql"),
        "reasons": lambda _, item: reason_link(view, item),
        "ledger": lambda _, item: row_link(view, item),
    }


def _sent_link(view: View, section: str, item: str) -> Address:
    """The keys that records had, else the calls with the field."""
    if section.startswith(_RECORDS):
        return view.link("properties")
    return view.link("debugger", live="off", search=item.partition(".")[2])


def _outcome_link(view: View, section: str, item: str) -> Address:
    """The fault that brings it, else the requests that could have had it."""
    kind = _FAULTS.get(item)
    return view.link("faults", kind=kind) if kind else _requests(view, section)


def _requests(view: View, section: str) -> Address:
    """The requests with an operation; all of them for a section of another name."""
    kind, _, operation = section.partition(" ")
    return view.link("requests", operation=operation if kind in ("query", "mutation") else None)


SCREEN = Screen(group="Developer", name="Coverage", path="coverage", template="developer/coverage", values=_values)
