"""The destination's actions: a definition file names the builder of each, which turns payloads into a document."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from emulator.mapping.actions import actions_2024, sync_audience
from emulator.mapping.actions.document import Document, Payload
from emulator.mapping.definition import Definition

Build: TypeAlias = Callable[[Sequence[Payload], Mapping[str, str], Definition], Document]

BUILDERS: Mapping[str, Build] = {
    "forward_profile": actions_2024.forward_profile,
    "forward_audience_event": actions_2024.forward_audience_event,
    "sync_audience": sync_audience.build,
}

__all__ = ["BUILDERS", "Build", "Document", "Payload"]
