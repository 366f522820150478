"""The fields of the calls that clients sent, and whether anything in the workspace reads them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from emulator.events import CallReceived
from emulator.harness.subscription_context import SubscriptionContext
from emulator.workspace import Workspace
from emulator.workspace_document import document_of

_HOLDERS = ("traits", "properties")
# An identifier of every space, unless the workspace says otherwise.
_ALWAYS = frozenset({"email"})


class Readers:
    """What reads fields: conditions, identifiers and event settings of Engage; for the calls of a source that a
    destination instance is connected to, its filters, triggers and mappings, too.
    """

    def __init__(self, workspace: Workspace, contexts: list[SubscriptionContext]) -> None:
        document = document_of(workspace)
        self._engage = [*_texts([document.get(key) for key in ("audiences", "journeys", "space", "trackingPlans")])]
        for destination in workspace.destinations:
            self._engage += [name for each in destination.connections for name in each.traits]
            self._engage += [name for each in destination.step_connections for name in each.traits]
        self._sources: dict[str, list[str]] = {}
        for context in contexts:
            if context.destination.source is not None:
                texts = self._sources.setdefault(context.destination.source, [])
                texts += [context.subscription.trigger, *_texts(context.mapping)]
                texts += [each.condition for each in context.destination.filters]

    def reads(self, source: str | None, holder: str, name: str) -> bool:
        """Whether anything mentions a trait or property by its name, or a mapping takes all of them."""
        own = self._sources.get(source or "", [])
        if name in _ALWAYS or f"$.{holder}" in own:
            return True
        mentions = [text for text in (*self._engage, *own) if name in text]
        # A name of its own, not a part of one. Most names that nothing reads are nowhere, and there may be any number.
        return bool(mentions) and any(map(re.compile(rf"(?<!\w){re.escape(name)}(?!\w)").search, mentions))


def fields_sent(call: CallReceived) -> Iterator[tuple[str, str]]:
    """The traits and properties of a call, each as its holder and its name."""
    for holder in _HOLDERS:
        members = (call.content or {}).get(holder)
        yield from ((holder, name) for name in (members if isinstance(members, dict) else ()))


def described(call: CallReceived) -> str:
    """A call without anything about the person: `track "Order Completed" of Website`."""
    return f"{call.call}{f' {call.event!r}' if call.event else ''} of {call.source}"


def _texts(part: Any) -> Iterator[str]:
    """Every string in a JSON value."""
    if isinstance(part, str):
        yield part
    elif isinstance(part, Mapping):
        for value in part.values():
            yield from _texts(value)
    elif isinstance(part, list | tuple):
        for value in part:
            yield from _texts(value)
