"""Catalog › Destinations: what can be added, in each generation, with what differs in words."""

from __future__ import annotations

from typing import Any

from emulator.console.control_api import ControlAPI
from emulator.console.screens.screen import Screen, Values
from emulator.console.screens.segment.destination_page import Item, api_version_of
from emulator.console.view import View


def _values(api: ControlAPI, view: View) -> Values:
    words = (view.get("search") or "").casefold().split()
    entries = api.get("catalog")["destinations"]
    version = api_version_of(api, view)
    cards = [_card(each, version) for each in entries]
    return {"cards": [each for each in cards if all(word in each["text"].casefold() for word in words)]}


def _card(entry: Item, api_version: str) -> dict[str, Any]:
    titles = " and ".join(each["title"] for each in entry["actions"])
    where = "a setting" if entry["advertiserFrom"] == "settings" else "chosen in each mapping"
    versions = " or ".join(entry["apiVersions"])
    lines = [
        f"{'Actions' if len(entry['actions']) > 1 else 'Action'} {titles}; the advertiser is {where}.",
        f"StackAdapt's API version {versions} takes what it sends.",
        f"From {entry['source']}.",
    ]
    older = "as on StackAdapt's page of 2024" if entry["advertiserFrom"] == "mapping" else "since 2025"
    return {
        **entry,
        "age": "the newest" if entry["newest"] else older,
        "lines": lines,
        "warning": None
        if api_version in entry["apiVersions"]
        else f"This workspace has API version {api_version}, which does not.",
        "text": " ".join((entry["name"], "Audience", entry["generation"], *lines)),
    }


SCREEN = Screen(
    group="Segment",
    name="Catalog › Destinations",
    path="destinations/catalog",
    template="segment/destination_catalog",
    values=_values,
    under="destinations",
)
