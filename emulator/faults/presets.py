"""Faults that come up in practice, each with what it means and what Segment does then.

How Segment retries is described, with its sources, in `emulator/docs/delivery.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A definition of a rule with a title. `meaning` says what StackAdapt does, `segment` what Segment does then."""

    name: str
    title: str
    meaning: str
    segment: str
    fault: Mapping[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "name": self.name,
            "title": self.title,
            "meaning": self.meaning,
            "segment": self.segment,
            "fault": dict(self.fault),
        }


PRESETS: Final = (
    Preset(
        name="down",
        title="StackAdapt down for 10 minutes",
        meaning="Every request is answered with 503 for ten minutes of the sandbox's clock.",
        segment="Tries again after 5 to 10 seconds, then waits twice as long each time. Everything arrives afterwards.",
        fault={"fault": "status", "status": 503, "lasts": "10m"},
    ),
    Preset(
        name="downTooLong",
        title="StackAdapt down for 5 hours",
        meaning="Every request is answered with 503 for longer than Segment keeps trying.",
        segment="Gives up after four hours: the events have failed and are dead letters, which can be replayed.",
        fault={"fault": "status", "status": 503, "lasts": "5h"},
    ),
    Preset(
        name="answerLost",
        title="Answer lost after write",
        meaning="One request is processed, and the connection is reset before the answer.",
        segment="Takes it for a failure and sends the same batch again: StackAdapt receives the records twice.",
        fault={"fault": "reset", "applied": True, "operation": "upsertProfiles", "times": 1},
    ),
    Preset(
        name="tooManyRequests",
        title="429 with Retry-After three times",
        meaning="Three requests are refused with 429 and Retry-After: 30. Nothing is written.",
        segment="Tries again at its own pace; Retry-After has no effect.",
        fault={"fault": "status", "status": 429, "retryAfter": 30, "times": 3},
    ),
    Preset(
        name="slow",
        title="Slow answers",
        meaning="Every answer takes two seconds longer. With a frozen clock, the delay is only in the journal.",
        segment="Waits for up to ten seconds, so everything is delivered; batches take longer.",
        fault={"fault": "latency", "milliseconds": 2000},
    ),
    Preset(
        name="noAnswer",
        title="No answer once",
        meaning="One request is not processed, and never answered.",
        segment="Gives up after ten seconds and sends the batch again.",
        fault={"fault": "timeout", "times": 1},
    ),
    Preset(
        name="halfRefused",
        title="Half of the records refused",
        meaning="Every second record of a batch is rejected when it is processed, with the reason INJECTED.",
        segment="Reports every event as delivered: only StackAdapt knows what it refused.",
        fault={"fault": "partial", "every": 2},
    ),
    Preset(
        name="userErrors",
        title="Refused with status 200",
        meaning="Every mutation returns a user error with status 200. Nothing is written.",
        segment="Reports every event as delivered, and sends none again.",
        fault={"fault": "userErrors"},
    ),
    Preset(
        name="maintenancePage",
        title="A maintenance page in place of JSON",
        meaning="Every request is answered with an HTML page and status 200. Nothing is written.",
        segment="Goes by the status: reports every event as delivered, and sends none again.",
        fault={"fault": "notJson"},
    ),
)
