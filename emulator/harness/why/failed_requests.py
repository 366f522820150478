"""A request of Segment that failed: what came back, whether a fault did it, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from emulator.harness.why.evidence import Shown
from emulator.text import counted_noun

# As requests name it among their faults, and as the workspace does.
RATE_LIMIT: Final = "rateLimit"
_REPLAY: Final = "send the dead letters again: POST /_emulator/dead-letters/replay"
_NEXT: Final = "wait for the next attempt, or move the clock"


def faults_of(delivery: Mapping[str, Any], requests: Iterable[Shown]) -> tuple[str, ...]:
    """The faults, or the rate limit, that the request of a delivery met."""
    return tuple(name for each in requests if each["traceId"] == delivery.get("traceId") for name in each["faults"])


def response_text(delivery: Shown, text: str, faults: Sequence[str]) -> str:
    """What came back, after how many attempts, and by which faults."""
    named = ["the rate limit" if name == RATE_LIMIT else f"the fault {name}" for name in faults]
    parts = [f"after {counted_noun(delivery['attempts'], 'attempt')}"]
    if named:
        parts.append(f"by {', '.join(named)}")
    if delivery["segmentReports"] == "delivered":
        parts.append("Segment reports it as delivered")
    return f"{text} ({'; '.join(parts)})"


def request_advice(reason: str, faults: Sequence[str], *, retrying: bool) -> str:
    """What to do about it; a fault is the cause whatever the response says."""
    if {*faults} - {RATE_LIMIT}:
        return f"Remove the fault unless it has ended, then {_NEXT if retrying else _REPLAY}."
    if retrying:
        return f"{_NEXT.capitalize()}."
    if reason == "GRAPHQL_ERRORS":
        return (
            "Keep quotes and line breaks out of the traits: the destination writes them into the document as they are."
        )
    if reason in ("401", "403", "USER_ERRORS"):
        return "Correct the token and the advertiser of the destination's settings."
    return f"Remove the cause, then {_REPLAY}"
