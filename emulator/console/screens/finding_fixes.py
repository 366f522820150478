"""What a click does about a finding of the workspace, and the page of its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from emulator.console.screens.workspace_parts import (
    CHANGE,
    CHANGE_AUDIENCE,
    CHANGE_WORKSPACE,
    SAVE_MAPPING,
    SWITCH_MAPPING,
    path_of,
)
from emulator.console.tables import Button, Cell
from emulator.console.view import Address, View

Item = Mapping[str, Any]
# `destinations[0].subscriptions[1].trigger` has a part, a number, a list inside of it, a number.
_PLACE: Final = re.compile(r"(\w+)(?:\[(\d+)\])?(?:\.(\w+)(?:\[(\d+)\])?)?")
# `….mapping.marketing_status` names a field; its row on the page of the mapping has an id of that path.
_FIELD: Final = re.compile(r"\.mapping\.(.+)")
_EMAIL: Final = {"trait": "email", "operator": "exists"}
_STACKADAPT: Final = "StackAdapt Audience"


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Of a `workspace`; `catalog` has the entries of the destination's generations, the newest first."""

    view: View
    workspace: Item
    catalog: list[Item]

    def place(self, finding: Item) -> Cell:
        """The place, with the link to its page."""
        return Cell(finding.get("place"), self._page(finding).link if finding.get("place") else None)

    def fix(self, finding: Item) -> Cell:
        """The button that corrects it where one is known, otherwise the page where that is done."""
        own = _FIXES.get(finding.get("code", ""))
        found = own(self, finding) if own else None
        if found is None:
            found = self._repairs(finding)
        return found or (self._page(finding) if finding.get("place") else Cell(None))

    def part(self, finding: Item) -> Item | None:
        """The part of the workspace that the place names; None for a list."""
        return self._parts(finding)[1]

    def inner(self, finding: Item) -> Item | None:
        """The mapping, filter or connection that the place names in that part."""
        return self._parts(finding)[3]

    def _parts(self, finding: Item) -> tuple[str, Item | None, str, Item | None]:
        found = _PLACE.match(finding["place"])
        if found is None:
            return "", None, "", None
        name, number, inside, inner = found.groups()
        part = self.workspace[name][int(number)] if number else None
        return name, part, inside or "", part[inside][int(inner)] if part and inner and inside else None

    def _page(self, finding: Item) -> Cell:
        name, part, inside, inner = self._parts(finding)
        link = self.view.link
        if name == "destinations" and part is not None:
            page, field = self._page_of_destination(part, inside, inner), _FIELD.search(finding["place"])
            anchored = inside == "subscriptions" and inner is not None and field is not None
            return Cell(page.text, Address(f"{page.link}#field-{quote(field[1])}")) if anchored and field else page
        if name == "destinations":
            return Cell("Destinations", link("destinations"))
        if name == "audiences":
            return Cell("Audience" if part else "Audiences", link("audiences", audience=part["key"] if part else None))
        if name == "journeys":
            return Cell("Journeys", link("journeys"))
        if name == "sources" and inside in ("", "enabled"):
            return Cell("Debugger", link("debugger", source=part["name"] if part else None))
        return Cell("Workspace", link("workspace", setting=re.sub(r"\[\d+\]", "[]", finding["place"])))

    def _page_of_destination(self, part: Item, inside: str, inner: Item | None) -> Cell:
        own = {"destination": part["name"]}
        link = self.view.link
        if inside == "subscriptions" and inner is not None:
            return Cell("Edit mapping", link("destinations/mapping", **own, mapping=name_of(inner)))
        if inside == "subscriptions":
            return Cell("Mappings", link("destinations/mappings", **own))
        if inside == "audiences":
            return Cell("Audiences", link("audiences", audience=inner["key"] if inner else None))
        if inside == "filters":
            return Cell("Filters", link("destinations/filters", **own))
        return Cell("Settings", link("destinations", **own))

    def _repairs(self, finding: Item) -> Cell | None:
        """A button for each repair that is proposed, and the page; None where none is."""
        part, mapping = self.part(finding), self.inner(finding)
        proposed = [(_label(each), each) for each in [finding.get("repair")] if each]
        proposed += [(f"Use {_value(each)}", each) for each in finding.get("alternatives", ())]
        if part is None or mapping is None or not proposed:
            return None
        buttons = [Cell(None, button=self._repair(part, mapping, *each)) for each in proposed]
        return Cell(None, parts=[*buttons, self._page(finding)])

    def _repair(self, part: Item, mapping: Item, label: str, repair: Item) -> Button:
        fields = {**mapping.get("mapping", {}), **repair.get("mapping", {})}
        body = {
            **mapping,
            "mapping": {name: value for name, value in fields.items() if value is not None},
            "trigger": repair.get("trigger", mapping["trigger"]),
        }
        # A patch would merge the fields, which the repair replaces.
        return Button(
            label=label,
            action=SAVE_MAPPING.name,
            path=path_of("destinations", part["name"], "subscriptions", name_of(mapping)),
            body=body,
        )


def _label(repair: Item) -> str:
    return "Use this trigger" if "trigger" in repair else "Correct the mapping"


def _value(alternative: Item) -> str:
    """The value of the one field that an alternative sets."""
    [value] = alternative["mapping"].values()
    return str(value)


def name_of(mapping: Item) -> str:
    """The name of a mapping."""
    found: str = mapping.get("name", mapping["action"])
    return found


def require_email(audience: Item) -> Button:
    """Adds an email to the condition of an audience of the workspace."""
    condition = audience["condition"]
    tests = condition.get("all", [condition])
    return Button(
        label="Require an email",
        action=CHANGE_AUDIENCE.name,
        path=path_of("audiences", audience["key"]),
        body={**audience, "condition": {"all": [*tests, _EMAIL]}},
    )


def enable_mapping(destination: Item, mapping: Item) -> Button:
    """Switches a mapping on."""
    return Button(
        label=f"Enable {name_of(mapping)}",
        action=SWITCH_MAPPING.name,
        path=path_of("destinations", destination["name"], "subscriptions", name_of(mapping)),
        body={"enabled": True},
    )


def enable_destination(destination: Item) -> Button:
    """Switches a destination instance on."""
    path = path_of("destinations", destination["name"])
    return Button(label="Enable Destination", action=CHANGE.name, path=path, body={"enabled": True})


def to_engage(destination: Item) -> Button:
    """Takes the source from a destination instance: audiences are left."""
    path = path_of("destinations", destination["name"])
    return Button(label="Set source to Engage space", action=CHANGE.name, path=path, body={"source": None})


def _engage(of: Findings, finding: Item) -> Cell | None:
    part = of.part(finding)
    return Cell(None, button=to_engage(part)) if part else None


def _source(of: Findings, finding: Item) -> Cell:
    source = of.part(finding)
    if source is None:
        return Cell("Add Source", of.view.link("debugger", add="source"))
    path = path_of("sources", source["name"])
    label = f"Enable {source['name']}"
    return Cell(None, button=Button(label=label, action=CHANGE.name, path=path, body={"enabled": True}))


def _catalog(of: Findings, _finding: Item) -> Cell:
    return Cell("Add Destination", of.view.link("destinations/catalog", search=_STACKADAPT))


def _destination(of: Findings, finding: Item) -> Cell | None:
    part = of.part(finding)
    return Cell(None, button=enable_destination(part)) if part else None


def _mapping(of: Findings, finding: Item) -> Cell | None:
    part = of.part(finding)
    if part is None:
        return None
    named = of.inner(finding)
    disabled = [named] if named else part["subscriptions"]
    if not disabled:
        return _new_mapping(of, finding)
    return Cell(None, parts=[Cell(None, button=enable_mapping(part, each)) for each in disabled])


def _new_mapping(of: Findings, finding: Item) -> Cell | None:
    part = of.part(finding)
    return (
        Cell("New Mapping", of.view.link("destinations/mappings", destination=part["name"], new="on")) if part else None
    )


def _audience(of: Findings, finding: Item) -> Cell | None:
    """The form that connects the only audience; with several, they are chosen from."""
    part, audiences = of.part(finding), of.workspace.get("audiences", ())
    if part is None or len(audiences) != 1:
        return None
    link = of.view.link("audiences", audience=audiences[0]["key"], connect=part["name"])
    return Cell("Add Destination", Address(f"{link}#connect"))


def _connect(of: Findings, finding: Item) -> Cell | None:
    part = of.part(finding)
    return Cell("Add Destination", of.view.link("audiences", audience=part["key"], connect="choose")) if part else None


def _email(of: Findings, finding: Item) -> Cell | None:
    part = of.part(finding)
    return Cell(None, button=require_email(part)) if part else None


def _api_version(of: Findings, finding: Item) -> Cell:
    wanted = (of.part(finding) or {}).get("generation")
    entry = next((each for each in of.catalog if each["generation"] == wanted), of.catalog[0])

    def button(version: str) -> Button:
        return Button(label=f"Use API version {version}", action=CHANGE_WORKSPACE.name, body={"apiVersion": version})

    return Cell(None, parts=[Cell(None, button=button(version)) for version in entry["apiVersions"]])


# By the code of a finding; what has none is corrected by its repair, or at its place.
_FIXES: Final[Mapping[str, Callable[[Findings, Item], Cell | None]]] = {
    "D001": _source,
    "D002": _source,
    "D003": _catalog,
    "D004": _destination,
    "D005": _mapping,
    "D006": _mapping,
    "D007": _audience,
    "D009": _connect,
    "D011": _email,
    "F004": _engage,
    "F005": _engage,
    "M006": _new_mapping,
    "S007": _api_version,
}
