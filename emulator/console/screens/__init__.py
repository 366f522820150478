"""The screens, in the order of the navigation, and the actions of all."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from emulator.console.actions import EVERYWHERE, Action
from emulator.console.screens import overview, person
from emulator.console.screens.developer import (
    documentation,
    exercised,
    faults,
    fidelity,
    grade,
    graphql,
    mutate,
    plan_form,
    reasons,
    requests,
    scenarios,
    snapshots,
    workspace,
)
from emulator.console.screens.screen import Screen
from emulator.console.screens.segment import (
    audiences,
    debugger,
    destination_catalog,
    destination_delivery,
    destination_filter_list,
    destination_mappings,
    destination_new,
    destination_upgrade,
    destinations,
    explorer,
    journeys,
    mapping_form,
)
from emulator.console.screens.stackadapt import (
    deletions,
    lists,
    profiles,
    property_catalogue,
    rejections,
    segments,
    uploads,
)

# Segment's group comes first, in the order in which an event passes the services.
SCREENS: Final[tuple[Screen, ...]] = (
    overview.SCREEN,
    person.SCREEN,
    debugger.SCREEN,
    audiences.SCREEN,
    journeys.SCREEN,
    explorer.SCREEN,
    destinations.SCREEN,
    destination_catalog.SCREEN,
    destination_new.SCREEN,
    destination_mappings.SCREEN,
    mapping_form.SCREEN,
    destination_filter_list.SCREEN,
    destination_delivery.SCREEN,
    destination_upgrade.SCREEN,
    profiles.SCREEN,
    rejections.SCREEN,
    deletions.SCREEN,
    segments.SCREEN,
    lists.SCREEN,
    uploads.SCREEN,
    property_catalogue.SCREEN,
    requests.SCREEN,
    grade.SCREEN,
    graphql.SCREEN,
    faults.SCREEN,
    snapshots.SCREEN,
    workspace.SCREEN,
    plan_form.SCREEN,
    exercised.SCREEN,
    mutate.SCREEN,
    fidelity.SCREEN,
    scenarios.SCREEN,
    documentation.SCREEN,
    reasons.SCREEN,
)


def _actions() -> dict[str, Action]:
    found: dict[str, Action] = {}
    for action in (*EVERYWHERE, *(each for screen in SCREENS for each in screen.actions)):
        if found.setdefault(action.name, action) != action:
            raise ValueError(f"two actions of the console have the name {action.name!r}")
    return found


ACTIONS: Final[Mapping[str, Action]] = MappingProxyType(_actions())
