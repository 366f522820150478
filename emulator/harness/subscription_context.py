"""A subscription with its workspace, destination, definition and compiled trigger, for `lint`, `map` and `explain`.

`sample_messages` makes one message of each kind that connected audiences and journey steps send, through Engage itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from emulator.ids import Ids
from emulator.mapping import ActionDefinition, Definition, DestinationInstance, Trigger, compile_trigger
from emulator.segment.delivery.subscriptions import definition_of
from emulator.segment.engage.audience_events import AudienceEvent, audience_events
from emulator.segment.engage.journey_events import step_events
from emulator.segment.engage.routes import audience_routes, step_routes
from emulator.segment.lookups import check_destination
from emulator.segment.profiles.profile import EMAIL, USER_ID, Profile, Progress
from emulator.workspace import Audience, Connection, Destination, Journey, Step, StepConnection, Subscription, Workspace

SAMPLE_TIME = datetime(2026, 1, 1, tzinfo=UTC)
_PROGRESS = Progress(epoch_id="sample", entered_at=0, joined_at=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionContext:
    """One subscription of a workspace. `action` is None if the generation has no such action.

    `place` is its path in the workspace file, `mapping` its mapping over the defaults of the action.
    """

    workspace: Workspace
    destination: Destination
    definition: Definition
    subscription: Subscription
    action: ActionDefinition | None
    trigger: Trigger
    mapping: Mapping[str, Any]
    place: str

    def messages(self) -> Iterator[tuple[str, str | None]]:
        """Type and event name (None for an identify) of the messages that audiences and journey steps send here.

        None where the destination instance or the subscription is disabled.
        """
        if not (self.destination.enabled and self.subscription.enabled):
            return
        for connection in self.destination.connections:
            if connection.send_identify:
                yield "identify", None
            if connection.send_track:
                yield "track", connection.enter_event
                yield "track", connection.exit_event
        for step_connection, _, step in self.steps():
            yield "track", step_connection.event or step.name

    def audiences(self) -> Iterator[tuple[Connection, Audience]]:
        """The connected audiences."""
        for connection in self.destination.connections:
            audience = self.workspace.audience(connection.audience_key)
            if audience is not None:
                yield connection, audience

    def steps(self) -> Iterator[tuple[StepConnection, Journey, Step]]:
        """The connected journey steps."""
        for connection in self.destination.step_connections:
            found = self.workspace.step(connection.step_key)
            if found is not None:
                yield connection, *found

    def instance(self) -> DestinationInstance:
        """The destination instance with this subscription only."""
        stored = {
            "partnerAction": self.subscription.action,
            "subscribe": self.subscription.trigger,
            "mapping": self.mapping,
        }
        return DestinationInstance(self.definition, self.destination.settings, [stored])

    def advertiser_id(self) -> Any:
        """The advertiser of the documents: a setting, or a mapping field in the generations of 2024."""
        if self.definition.advertiser_from == "mapping":
            return self.mapping.get("advertiser_id")
        return self.destination.settings.get("advertiser_id")


def subscription_contexts(workspace: Workspace) -> Iterator[SubscriptionContext]:
    """Every subscription of a workspace. Raises WorkspaceError for an unknown generation."""
    for index, destination in enumerate(workspace.destinations):
        definition = definition_of(destination)
        for position, subscription in enumerate(destination.subscriptions):
            action = definition.actions.get(subscription.action)
            yield SubscriptionContext(
                workspace=workspace,
                destination=destination,
                definition=definition,
                subscription=subscription,
                action=action,
                trigger=compile_trigger(subscription.trigger),
                mapping=subscription.mapping_over(action.default_mapping() if action else {}),
                place=f"destinations[{index}].subscriptions[{position}]",
            )


def contexts_of(workspace: Workspace, destination: str | None) -> list[SubscriptionContext]:
    """The enabled subscriptions of a destination instance (default: the first). Raises NotFound."""
    wanted = destination or next((known.name for known in workspace.destinations), None)
    check_destination(workspace, wanted)
    found = (context for context in subscription_contexts(workspace) if context.destination.name == wanted)
    return [context for context in found if context.subscription.enabled]


def sample_messages(context: SubscriptionContext, *, entered: bool = True) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Type and payload of each message of entering (or leaving) that passes the trigger."""
    for message in _samples(context, entered):
        if context.trigger.matches(message.payload):
            yield message.payload["type"], message.payload


def _samples(context: SubscriptionContext, entered: bool) -> Iterator[AudienceEvent]:
    destinations = {context.destination.name: context.definition.name}
    for audience in audience_routes(context.workspace, destinations):
        yield from audience_events(
            audience, _profile(audience.connection.traits), entered=entered, at=SAMPLE_TIME, ids=Ids(0)
        )
    for step in step_routes(context.workspace, destinations):
        yield from step_events(
            step, _profile(step.connection.traits), _PROGRESS, entered=entered, at=SAMPLE_TIME, ids=Ids(0)
        )


def _profile(traits: Iterable[str]) -> Profile:
    return Profile(
        key=None,
        created_at=0,
        identifiers={(USER_ID, "u1"): 1, (EMAIL, "person@example.com"): 2},
        traits=dict.fromkeys(traits, "2000-01-01"),
    )
