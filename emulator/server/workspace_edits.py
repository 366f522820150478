"""Edits of a workspace in its JSON form: a merge patch, and one of its parts by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

from emulator.errors import InputError, NotFound, unknown
from emulator.merge_patch import merged

Document = dict[str, Any]

# Settings of a destination instance that are no secrets.
_NO_SECRETS: Final = frozenset({"advertiser_id"})
# Shown in place of a secret.
MASK: Final = "***"
SUBSCRIPTIONS: Final = "subscriptions"
FILTERS: Final = "filters"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A list of a workspace. `key` is the name of its items' names; None: their positions, from 0."""

    noun: str
    key: str | None


PARTS: Final[Mapping[str, Part]] = {
    "advertisers": Part(noun="advertiser", key="id"),
    "tokens": Part(noun="token", key="name"),
    "sources": Part(noun="source", key="name"),
    "trackingPlans": Part(noun="tracking plan", key="name"),
    "audiences": Part(noun="audience", key="key"),
    "journeys": Part(noun="journey", key="id"),
    "destinations": Part(noun="destination instance", key="name"),
    "faults": Part(noun="fault", key=None),
    SUBSCRIPTIONS: Part(noun="subscription", key="name"),
    FILTERS: Part(noun="filter", key="title"),
}


def masked(document: Document) -> Document:
    """The document without tokens and write keys."""
    shown = deepcopy(document)
    for _, item, key in _secrets(shown):
        if key in item:
            item[key] = MASK
    return shown


def check_unmasked(document: Mapping[str, Any]) -> None:
    """Raises InputError for a document in which a secret is masked."""
    for place, item, key in _secrets(document):
        if item.get(key) == MASK:
            raise InputError(
                "this secret is masked",
                where=f"workspace: {place}",
                found=MASK,
                hint="Edit what GET /_emulator/workspace returns without mask=true.",
            )


def _secrets(document: Mapping[str, Any]) -> Iterator[tuple[str, Document, str]]:
    """The place of each secret in a document of any form, the object that has it, and its key there."""
    for group, key in (("tokens", "token"), ("sources", "writeKey")):
        for index, item in _items(document, group):
            yield f"{group}[{index}].{key}", item, key
    for index, item in _items(document, "destinations"):
        if isinstance(settings := item.get("settings"), dict):
            # A key that is misspelled may have the token.
            for key in settings.keys() - _NO_SECRETS:
                yield f"destinations[{index}].settings.{key}", settings, key


class PartList:
    """The items of one part of a document, which its methods change in place.

    `part` is a name of `PARTS`; of subscriptions and filters, those of a destination instance. Raises NotFound for an
    unknown one.
    """

    def __init__(self, document: Document, part: str, *, destination: str | None = None) -> None:
        self._document = document
        self._name = part
        self._part = PARTS[part]
        owner = document if destination is None else PartList(document, "destinations").get(destination)
        self.items: list[Document] = owner.setdefault(part, [])

    def get(self, name: str) -> Document:
        """The item with this name. Raises NotFound, InputError when several have it."""
        return self.items[self._position(name)]

    def put(self, name: str, item: Document) -> int:
        """Replaces the item with this name, maybe by one with another name, or adds it; returns its position."""
        position = self._position(name, missing=len(self.items))
        if (key := self._part.key) is not None:
            if item.get(key, name) != name and position == len(self.items):
                raise InputError(
                    f"the new {self._part.noun} has another {key} than the path",
                    where=f"{self._name}: {key}",
                    found=item[key],
                    allowed=name,
                )
            item = {key: name, **item}
        self.items[position : position + 1] = [item]
        return position

    def patch(self, name: str, patch: Document) -> int:
        """Changes the item with this name by a merge patch; returns its position."""
        position = self._position(name)
        self.items[position] = merged(self.items[position], patch)
        return position

    def add(self, item: Document) -> int:
        """Adds an item at the end; returns its position. Raises InputError when there is one with its name."""
        key = self._part.key
        name = None if key is None else item.get(key)
        if key is not None and name is not None and any(each.get(key) == name for each in self.items):
            raise InputError(
                f"there is a {self._part.noun} with this {key}",
                where=f"{self._name}: {key}",
                found=name,
                hint="Choose another one, or PUT it to replace that one.",
            )
        self.items.append(item)
        return len(self.items) - 1

    def remove(self, name: str) -> None:
        """Removes the item with this name. Raises InputError while something refers to it."""
        position = self._position(name)
        places = list(_references(self._document, self._name, self.items[position]))
        if places:
            raise InputError(
                f"this {self._part.noun} is in use",
                where=f"{self._name}: {name}",
                found=", ".join(places),
                hint="Change these places first, or replace the whole workspace.",
            )
        del self.items[position]

    def _position(self, name: str, *, missing: int | None = None) -> int:
        key = self._part.key
        names = [str(at) if key is None else str(each.get(key)) for at, each in enumerate(self.items)]
        found = [position for position, each in enumerate(names) if each == name]
        if len(found) > 1:
            raise InputError(
                f"several have this {self._part.key}",
                where=self._name,
                found=name,
                hint="Give each its own, by PUT /_emulator/workspace.",
            )
        if found:
            return found[0]
        # A position can only be the next one.
        if missing is None or (self._part.key is None and name != str(missing)):
            raise unknown(self._part.noun, name, names, where=self._name, error=NotFound)
        return missing


def _items(document: Mapping[str, Any], group: str) -> Iterator[tuple[int, Document]]:
    given = document.get(group)
    if isinstance(given, list):
        yield from ((index, item) for index, item in enumerate(given) if isinstance(item, dict))


def _references(document: Document, part: str, item: Document) -> Iterator[str]:
    """The places that name an item, as paths."""
    find = _REFERENCES.get(part)
    return find(document, item) if find else iter(())


def _of_advertiser(document: Document, item: Document) -> Iterator[str]:
    for index, token in _items(document, "tokens"):
        if item["id"] in token["scopes"]:
            yield f"tokens[{index}].scopes"
    for index, destination in _items(document, "destinations"):
        if destination["settings"].get("advertiser_id") == item["id"]:
            yield f"destinations[{index}].settings.advertiser_id"
        for position, subscription in _items(destination, "subscriptions"):
            if subscription.get("mapping", {}).get("advertiser_id") == item["id"]:
                yield f"destinations[{index}].subscriptions[{position}].mapping.advertiser_id"


def _of_token(document: Document, item: Document) -> Iterator[str]:
    for index, destination in _items(document, "destinations"):
        if destination["settings"].get("apiKey") == item["token"]:
            yield f"destinations[{index}].settings.apiKey"


def _of_source(document: Document, item: Document) -> Iterator[str]:
    for index, destination in _items(document, "destinations"):
        if destination.get("source") == item["name"]:
            yield f"destinations[{index}].source"
    for index, source in _items(document, "sources"):
        if source.get("schema", {}).get("forwardingBlockedEventsTo") == item["name"]:
            yield f"sources[{index}].schema.forwardingBlockedEventsTo"


def _of_tracking_plan(document: Document, item: Document) -> Iterator[str]:
    for index, source in _items(document, "sources"):
        if source.get("trackingPlan") == item["name"]:
            yield f"sources[{index}].trackingPlan"


def _of_audience(document: Document, item: Document) -> Iterator[str]:
    yield from _connections(document, "audiences", [item["key"]])
    for group in ("audiences", "journeys"):
        for index, each in _items(document, group):
            if each != item and any(node.get("audience") == item["key"] for node in _nodes(each)):
                yield f"{group}[{index}]"


def _of_journey(document: Document, item: Document) -> Iterator[str]:
    return _connections(document, "journeySteps", [step["key"] for step in item["steps"]])


def _connections(document: Document, group: str, keys: Sequence[str]) -> Iterator[str]:
    for index, destination in _items(document, "destinations"):
        for position, connection in _items(destination, group):
            if connection["key"] in keys:
                yield f"destinations[{index}].{group}[{position}]"


def _nodes(value: Any) -> Iterator[Document]:
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _nodes(inner)


_REFERENCES: Final[Mapping[str, Callable[[Document, Document], Iterator[str]]]] = {
    "advertisers": _of_advertiser,
    "tokens": _of_token,
    "sources": _of_source,
    "trackingPlans": _of_tracking_plan,
    "audiences": _of_audience,
    "journeys": _of_journey,
}
