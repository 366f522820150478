"""One event explained at each subscription of a destination instance, each time in services of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from emulator.harness.event_tester import context_named
from emulator.harness.explain import Explanation, explain
from emulator.harness.subscription_context import SubscriptionContext, contexts_of
from emulator.mapping import compile_trigger
from emulator.server.trial import open_trial
from emulator.workspace import Workspace


def explained(
    event: Mapping[str, Any],
    workspace: Workspace,
    destination: str | None,
    at: datetime,
    *,
    subscription: str | None = None,
    trigger: str | None = None,
) -> Iterator[tuple[SubscriptionContext, Explanation]]:
    """Each enabled subscription of a destination instance (default: the first), and what it does with the event.

    `subscription` is the name of one, enabled or not, to explain alone; `trigger` is used in place of the saved ones.

    StackAdapt is otherwise empty, whatever the endpoint of the destination instance; `at` is the time there. Raises
    NotFound for an unknown destination instance or subscription, WorkspaceError for a workspace that an emulator would
    not start with.
    """
    contexts = contexts_of(workspace, destination)
    if subscription is not None:
        first = next((known.name for known in workspace.destinations), "")
        contexts = [context_named(workspace, destination or first, subscription)]
    if trigger is not None:
        contexts = [_with_trigger(context, trigger) for context in contexts]
    destinations = tuple(replace(each, endpoint=None) for each in workspace.destinations)
    for context in contexts:
        with open_trial(replace(workspace, destinations=destinations), at) as trial:
            transport = trial.transport_to(replace(context.destination, endpoint=None))
            yield context, explain(event, context, trial.stackadapt, transport)


def _with_trigger(context: SubscriptionContext, trigger: str) -> SubscriptionContext:
    changed = replace(context.subscription, trigger=trigger)
    return replace(context, subscription=changed, trigger=compile_trigger(trigger))
