"""Events that enter the queue of a destination, and responses to its batches."""

from __future__ import annotations

import json
from typing import Any

from emulator.transport import Response
from tests.segment.conftest import SegmentEnv

SYNTAX_ERROR = json.dumps(
    {"errors": [{"message": 'Syntax Error: Unexpected Name "Ace".', "locations": [{"line": 18, "column": 40}]}]}
)


def destination(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["destinations"][0]
    return found


def enter(segment_env: SegmentEnv, count: int, *, first: int = 0) -> None:
    """So many people enter the audience in one request."""
    calls = [
        {"type": "identify", "userId": f"u{n}", "traits": {"email": f"u{n}@example.com", "total_spent": 900}}
        for n in range(first, first + count)
    ]
    segment_env.segment.ingest("batch", {"batch": calls})


def said(status: int, text: str = "", reason: str = "") -> Response:
    return Response(status=status, reason=reason, text=text)
