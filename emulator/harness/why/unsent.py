"""Why nothing is sent: what of the workspace is missing or switched off, and what is filtered at a destination."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from emulator.harness.why.answer import DESTINATION, Stop
from emulator.segment.delivery.event_checks import (
    FILTERED_BY_END_USER_CONSENT,
    FILTERED_BY_INTEGRATIONS_OBJECT,
    FILTERED_BY_RULES,
)
from emulator.workspace import Connection, Destination, Workspace

# The reasons of deliveries that a switch of the workspace discarded.
SWITCHED_OFF = frozenset(
    {
        "DESTINATION_DISABLED",
        "SUBSCRIPTION_DISABLED",
        "NO_SUBSCRIPTION",
        "SOURCE_NOT_CONNECTED",
        "WORKSPACE_CHANGED",
    }
)

# What to do about an event that a check stopped before the triggers, by its reason.
FILTERED = {
    FILTERED_BY_RULES: "Change the filter, or disable it.",
    FILTERED_BY_INTEGRATIONS_OBJECT: "Send the call without an integrations object, or name the destination in it.",
    FILTERED_BY_END_USER_CONSENT: "Send the call with this consent, or take the category from the destination.",
}


# What to do about people whose events came while something was switched off.
SEND_MEMBERS = (
    "Send the present members: compute the audience for this destination, with resync "
    "(POST /_emulator/audiences/KEY/compute; Audiences in the console)."
)


def is_on_by_now(delivery: Mapping[str, Any], workspace: Workspace) -> bool:
    """Whether the switch that discarded a delivery was changed since."""
    destination = next((each for each in workspace.destinations if each.name == delivery["destination"]), None)
    if destination is None or not destination.enabled:
        return False
    mappings = {each.name: each.enabled for each in destination.subscriptions}
    match delivery["reason"]:
        case "DESTINATION_DISABLED":
            return True
        case "NO_SUBSCRIPTION":
            return any(mappings.values())
        case "SUBSCRIPTION_DISABLED":
            return mappings.get(delivery["subscription"], False)
    return False


def is_for_engage(delivery: Mapping[str, Any], workspace: Workspace) -> bool:
    """Whether a call of a source was refused where the mappings are for audiences: Engage's events are what counts."""
    refused = delivery["reason"] == "NO_MATCHING_MAPPING" or "segment_computation_" in (delivery["message"] or "")
    of_engage = (
        each.connections or each.step_connections
        for each in workspace.destinations
        if each.name == delivery["destination"]
    )
    return not delivery["audienceKey"] and refused and any(of_engage)


def missing_connection(member: Sequence[str], workspace: Workspace) -> Stop:
    """Why no event was sent about a member of these audiences."""
    audiences = ", ".join(member)
    connected = list(_connections(member, workspace))
    if not workspace.destinations:
        return _stop(
            "NO_DESTINATION",
            f"the profile is in {audiences}, and the workspace has no destination",
            "Add a destination to the workspace and connect the audience to it.",
        )
    if not connected:
        return _stop(
            "NOT_CONNECTED",
            f"the profile is in {audiences}, which is connected to no destination",
            f"Connect the audience: add 'key: {member[0]}' to the audiences of a destination.",
        )
    off = [place for _, connection, place in connected if not (connection.send_identify or connection.send_track)]
    if len(off) == len(connected):
        return _stop(
            "TOGGLES_OFF",
            f"the profile is in {audiences}, and Send Identify and Send Track are both off",
            "Switch on one of them, or both.",
            found=f"{off[0]}: sendIdentify and sendTrack are false",
        )
    without = [destination for destination, _, _ in connected if not destination.subscriptions]
    if len(without) == len(connected):
        return _stop(
            "NO_SUBSCRIPTION",
            f"the profile is in {audiences}, and {without[0].name!r} has no subscription",
            "Add a subscription: an action with a trigger.",
        )
    return _stop(
        "ENTERED_BEFORE",
        f"the profile is in {audiences}, and nothing was sent when it entered",
        f"Send the present members: POST /_emulator/audiences/{member[0]}/compute with the destination.",
    )


def _connections(member: Sequence[str], workspace: Workspace) -> Iterator[tuple[Destination, Connection, str]]:
    for index, destination in enumerate(workspace.destinations):
        for position, connection in enumerate(destination.connections):
            if connection.audience_key in member:
                yield destination, connection, f"destinations[{index}].audiences[{position}]"


def _stop(reason: str, message: str, advice: str, *, found: str | None = None) -> Stop:
    return Stop(stage=DESTINATION, reason=reason, message=message, advice=advice, found=found)
