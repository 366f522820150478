"""The enabled subscriptions of a workspace, compiled: each makes requests of the events of one destination instance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from emulator.errors import UserMistake, WorkspaceError, unknown
from emulator.mapping import Definition, DestinationInstance, load_definition, newest
from emulator.mapping import Subscription as CompiledSubscription
from emulator.workspace import Destination, Subscription, Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryTarget:
    """An enabled subscription, identified by `destination.name` and `name`."""

    destination: Destination
    name: str
    subscription: CompiledSubscription


def delivery_targets(workspace: Workspace) -> Iterator[DeliveryTarget]:
    """The enabled subscriptions of the enabled destination instances of a workspace.

    Raises WorkspaceError for an unknown generation or action, and for a name that is used twice.
    """
    for destination in workspace.destinations:
        if not destination.enabled:
            continue
        enabled = [subscription for subscription in destination.subscriptions if subscription.enabled]
        _check_names(destination, enabled)
        stored = [_stored(destination, subscription) for subscription in enabled]
        instance = _compiled(_Stored(definition_of(destination), destination.settings, stored))
        for subscription, compiled in zip(enabled, instance.subscriptions, strict=True):
            yield DeliveryTarget(destination=destination, name=subscription.name, subscription=compiled)


def integrations(workspace: Workspace) -> dict[str, str]:
    """The name by which the events of each destination instance are routed: the catalog's name of the destination."""
    return {destination.name: definition_of(destination).name for destination in workspace.destinations}


def definition_of(destination: Destination) -> Definition:
    """The definition of its generation. Raises WorkspaceError for an unknown one."""
    try:
        return load_definition(destination.generation or newest())
    except UserMistake as error:
        raise WorkspaceError.at(f"destination {destination.name!r}: {error.where}", error) from None


def _stored(destination: Destination, subscription: Subscription) -> Mapping[str, Any]:
    """The subscription as Segment stores it, its mapping merged over the published defaults."""
    actions = definition_of(destination).actions
    if subscription.action not in actions:
        raise WorkspaceError.at(
            f"destination {destination.name!r}, subscription {subscription.name!r}: action",
            unknown("action", subscription.action, actions),
        )
    return {
        "name": subscription.name,
        "enabled": subscription.enabled,
        "partnerAction": subscription.action,
        "subscribe": subscription.trigger,
        "mapping": subscription.mapping_over(actions[subscription.action].default_mapping()),
    }


class _Stored:
    """A destination instance as Segment stores it; equal to another of the same generation with the same content."""

    def __init__(
        self, definition: Definition, settings: Mapping[str, Any], subscriptions: Sequence[Mapping[str, Any]]
    ) -> None:
        self.definition, self.settings, self.subscriptions = definition, settings, subscriptions
        # What is written alike is of the same types, too.
        self._content = repr((id(definition), dict(settings), subscriptions))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Stored) and self._content == other._content

    def __hash__(self) -> int:
        return hash(self._content)


@lru_cache(maxsize=64)
def _compiled(stored: _Stored) -> DestinationInstance:
    """Compiled once for all emulators of the process: a test opens its own, and must not wait."""
    # Copies: a workspace that is given as a dict may be changed before it is used again.
    return DestinationInstance(stored.definition, deepcopy(stored.settings), deepcopy(stored.subscriptions))


def _check_names(destination: Destination, subscriptions: list[Subscription]) -> None:
    names = [subscription.name for subscription in subscriptions]
    for position, name in enumerate(names):
        if name in names[:position]:
            raise WorkspaceError(
                "another subscription has the same name",
                where=f"destination {destination.name!r}: subscriptions",
                found=name,
                hint="Give each a unique 'name'.",
            )
