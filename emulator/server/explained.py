"""One event explained at each subscription of a destination instance, each time in services of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from emulator.harness.explain import Explanation, explain
from emulator.harness.subscription_context import SubscriptionContext, contexts_of
from emulator.server.trial import open_trial
from emulator.workspace import Workspace


def explained(
    event: Mapping[str, Any], workspace: Workspace, destination: str | None, at: datetime
) -> Iterator[tuple[SubscriptionContext, Explanation]]:
    """Each enabled subscription of a destination instance (default: the first), and what it does with the event.

    StackAdapt is otherwise empty, whatever the endpoint of the destination instance; `at` is the time there. Raises
    NotFound for an unknown destination instance, WorkspaceError for a workspace that an emulator would not start with.
    """
    contexts = contexts_of(workspace, destination)
    destinations = tuple(replace(each, endpoint=None) for each in workspace.destinations)
    for context in contexts:
        with open_trial(replace(workspace, destinations=destinations), at) as trial:
            transport = trial.transport_to(replace(context.destination, endpoint=None))
            yield context, explain(event, context, trial.stackadapt, transport)
