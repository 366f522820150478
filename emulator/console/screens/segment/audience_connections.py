"""What keeps the members of an audience from arriving, each with the button or the page that corrects it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from emulator.console.screens.finding_fixes import (
    Findings,
    enable_destination,
    enable_mapping,
    name_of,
    require_email,
)
from emulator.console.tables import Button
from emulator.console.view import Address, View

Json = Mapping[str, Any]
# What the other problems say already.
_OWN = frozenset({"D004", "D005", "D006", "D007", "D008"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A mistake in the set-up; `fix` corrects it, or `link`, whose text is `label`, leads to where that is done."""

    text: str
    fix: Button | None = None
    link: Address | None = None
    label: str = ""


def connection_of(destination: Json, key: str) -> Json | None:
    """The connection of an audience in a destination instance of the workspace."""
    found: list[Json] = destination.get("audiences", [])
    return next((each for each in found if each["key"] == key), None)


def other_audiences(destination: Json, key: str) -> list[Json]:
    """The connections of the other audiences, which stay as they are."""
    return [each for each in destination.get("audiences", []) if each["key"] != key]


def problems(audience: Json, item: Json, found: list[Json], fixes: Findings) -> Iterator[Problem]:
    """Of one audience, in the order in which an event would meet them; `item` is the audience in the workspace, and
    `found` what lint says of its destination instances.
    """
    key, destinations, view = audience["key"], fixes.workspace["destinations"], fixes.view
    if not audience["requiresEmail"]:
        yield Problem(
            text="The condition requires no email: members without one are sent, and StackAdapt rejects them.",
            fix=require_email(item),
        )
    connected = [(each, connection) for each in destinations if (connection := connection_of(each, key))]
    if not destinations:
        link = view.link("destinations/catalog", search="StackAdapt Audience")
        yield Problem(text="The workspace has no destination to send to.", link=link, label="Catalog")
    elif not connected:
        link = view.link("audiences", audience=key, connect="choose")
        yield Problem(text="It is connected to no destination: nothing is sent.", link=link, label="Add Destination")
    for destination, connection in connected:
        yield from _of_connection(destination, connection, key)
        yield from _of_destination(destination, view)
        yield from _of_findings(destination, found, fixes)


def _of_connection(destination: Json, connection: Json, key: str) -> Iterator[Problem]:
    name = destination["name"]

    def changed(**fields: Any) -> dict[str, Any]:
        own = {**connection, **fields}
        return {"audiences": [own if each["key"] == key else each for each in destination["audiences"]]}

    def button(label: str, **fields: Any) -> Button:
        path = f"/_emulator/workspace/destinations/{quote(name, safe='')}"
        return Button(label=label, action="connect audience", path=path, body=changed(**fields))

    if not (connection.get("sendTrack", True) or connection.get("sendIdentify", True)):
        text = f"{name}: Send Track and Send Identify are both off: nothing is sent."
        yield Problem(text=text, fix=button("Turn on Send Identify", sendIdentify=True))
    traits = connection.get("traits", [])
    sent = traits.values() if isinstance(traits, Mapping) else traits
    if connection.get("email", True) is False and "email" not in sent:
        yield Problem(
            text=f"{name}: no email is sent, so that StackAdapt rejects everyone.",
            fix=button("Send the email", email=True),
        )


def _of_destination(destination: Json, view: View) -> Iterator[Problem]:
    name = destination["name"]
    if not destination.get("enabled", True):
        yield Problem(text=f"{name} is disabled: nothing is sent.", fix=enable_destination(destination))
    mappings = destination["subscriptions"]
    if not mappings:
        link = view.link("destinations/mappings", destination=name, new="on")
        yield Problem(text=f"{name} has no mapping: nothing is sent.", link=link, label="New Mapping")
    elif not any(each.get("enabled", True) for each in mappings):
        for each in mappings:
            text = f"{name}: the mapping {name_of(each)} is disabled: nothing is sent."
            yield Problem(text=text, fix=enable_mapping(destination, each))


def _of_findings(destination: Json, found: list[Json], fixes: Findings) -> Iterator[Problem]:
    """What lint says stops everyone in a destination instance or its mappings, enabled or not."""
    for each in found:
        if each["severity"] == "error" and each["code"] not in _OWN and fixes.part(each) is destination:
            fix = fixes.fix(each)
            mapping = fixes.inner(each)
            where = f"{destination['name']}, {name_of(mapping)}" if mapping else destination["name"]
            text = " ".join(filter(None, (f"{where}: {each['message']}", each.get("why"))))
            choices = [*fix.parts, fix]
            button = next((one.button for one in choices if one.button), None)
            to = next((one for one in choices if one.link), fix)
            yield Problem(text=text, fix=button, link=to.link, label=to.text or "")
