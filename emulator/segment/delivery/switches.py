"""The switches of a workspace: which subscriptions events are addressed to, and which of them get none, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from emulator.workspace import Destination, Workspace

DESTINATION_DISABLED = "DESTINATION_DISABLED"
SUBSCRIPTION_DISABLED = "SUBSCRIPTION_DISABLED"
SOURCE_NOT_CONNECTED = "SOURCE_NOT_CONNECTED"
NO_SUBSCRIPTION = "NO_SUBSCRIPTION"


@dataclass(frozen=True, slots=True, kw_only=True)
class Discard:
    """Why a subscription does not get an event: a reason code, and the switch in the workspace as a clause."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """A subscription to which the events of a destination instance are addressed, whether it gets them or not.

    `subscription` is its name, empty for a destination instance that has none. `switched_off` is set where it gets no
    event at all; `source` is the only source whose events it gets, None for every source.
    """

    destination: str
    subscription: str
    switched_off: Discard | None
    source: str | None
    place: str

    def discard(self, source: str | None) -> Discard | None:
        """Why it does not get an event that a call of this source caused; None if it gets it.

        An event without a source, caused by the passing of time or manually, belongs to no other source.
        """
        if self.switched_off is not None or self.source is None or source in (None, self.source):
            return self.switched_off
        message = f"{self.place}.source is {self.source!r}, and the call came from {source!r}"
        return Discard(reason=SOURCE_NOT_CONNECTED, message=message)


def recipients(workspace: Workspace) -> Iterator[Recipient]:
    """Every subscription of a workspace, and one recipient for each destination instance without any."""
    for index, destination in enumerate(workspace.destinations):
        place = f"destinations[{index}]"
        for name, switched_off in _subscriptions(destination, place):
            yield Recipient(
                destination=destination.name,
                subscription=name,
                switched_off=switched_off,
                source=destination.source,
                place=place,
            )


def _subscriptions(destination: Destination, place: str) -> Iterator[tuple[str, Discard | None]]:
    disabled = None
    if not destination.enabled:
        disabled = Discard(reason=DESTINATION_DISABLED, message=f"{place}.enabled is false")
    if not destination.subscriptions:
        yield "", disabled or Discard(reason=NO_SUBSCRIPTION, message=f"{place}.subscriptions is empty")
    for position, subscription in enumerate(destination.subscriptions):
        message = f"{place}.subscriptions[{position}].enabled is false"
        off = None if subscription.enabled else Discard(reason=SUBSCRIPTION_DISABLED, message=message)
        yield subscription.name, disabled or off
