"""What the destination does: each action turns valid payloads into one document.

An action is found by where its generation takes the advertiser from, and by its slug.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from emulator.mapping.actions import forward_audience_event, forward_profile, sync_audience
from emulator.mapping.actions.document import Document, Payload
from emulator.mapping.definition import Definition

Build: TypeAlias = Callable[[Sequence[Payload], Mapping[str, str], Definition], Document]

ACTIONS: Mapping[tuple[str, str], Build] = {
    ("mapping", "forwardProfile"): forward_profile.build,
    ("mapping", "forwardAudienceEvent"): forward_audience_event.build,
    ("settings", "forwardAudienceEvent"): sync_audience.build,
}

__all__ = ["ACTIONS", "Build", "Document", "Payload"]
