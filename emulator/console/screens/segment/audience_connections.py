"""What keeps the members of an audience from arriving, each with the button or the page that mends it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from emulator.console.tables import Button
from emulator.console.view import Address, View

Json = Mapping[str, Any]
_EMAIL = {"trait": "email", "operator": "exists"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A mistake in the set-up; `fix` mends it, or `link`, whose text is `label`, leads to where that is done."""

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


def problems(audience: Json, item: Json, destinations: list[Json], view: View) -> list[Problem]:
    """Of one audience, in the order in which an event would meet them; `item` is the audience in the workspace."""
    return [*_problems(audience, item, destinations, view)]


def _problems(audience: Json, item: Json, destinations: list[Json], view: View) -> Iterator[Problem]:
    key = audience["key"]
    if not audience["requiresEmail"]:
        yield Problem(
            text="The condition requires no email: members without one are sent, and StackAdapt rejects them.",
            fix=Button(
                label="Require an email",
                action="change audience",
                path=f"/_emulator/workspace/audiences/{quote(key, safe='')}",
                body={**item, "condition": _with_email(item["condition"])},
            ),
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


def _with_email(condition: Json) -> Json:
    return {"all": [*condition["all"], _EMAIL]} if "all" in condition else {"all": [condition, _EMAIL]}


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
    path = f"/_emulator/workspace/destinations/{quote(name, safe='')}"
    if not destination.get("enabled", True):
        fix = Button(label="Enable Destination", action="connect audience", path=path, body={"enabled": True})
        yield Problem(text=f"{name} is disabled: nothing is sent.", fix=fix)
    mappings = destination["subscriptions"]
    if not mappings:
        link = view.link("destinations/mappings", destination=name)
        yield Problem(text=f"{name} has no mapping: nothing is sent.", link=link, label="New Mapping")
    elif not any(each.get("enabled", True) for each in mappings):
        for each in mappings:
            mapping = each.get("name", each["action"])
            fix = Button(
                label=f"Enable {mapping}",
                action="enable mapping",
                path=f"{path}/subscriptions/{quote(mapping, safe='')}",
                body={"enabled": True},
            )
            yield Problem(text=f"{name}: the mapping {mapping} is disabled: nothing is sent.", fix=fix)
