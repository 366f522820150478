"""The destination's actions: each turns valid payloads into one document.

A definition file names the builder of each of its actions, one of `BUILDERS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from emulator.mapping.actions import forward_audience_event, forward_profile, sync_audience
from emulator.mapping.actions.document import Document, Payload
from emulator.mapping.definition import Definition

Build: TypeAlias = Callable[[Sequence[Payload], Mapping[str, str], Definition], Document]

BUILDERS: Mapping[str, Build] = {
    "forward_profile": forward_profile.build,
    "forward_audience_event": forward_audience_event.build,
    "sync_audience": sync_audience.build,
}

__all__ = ["BUILDERS", "Build", "Document", "Payload"]
