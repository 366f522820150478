"""Calls of the Tracking API: what its schema cannot state, and what Segment takes without a word."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from emulator.errors import nearest
from emulator.harness.checks.document_finding import ERROR, WARNING, Finding
from emulator.segment import BadRequest
from emulator.segment.tracking.request_body import parse_body
from emulator.timestamps import parse_timestamp

_MOMENTS = ("timestamp", "sentAt")
# "Spec: Common fields", and what single types have beside them.
_MEMBERS = (
    *("type", "userId", "anonymousId", "previousId", "groupId", "messageId", "writeKey", "event", "name", "category"),
    *("traits", "properties", "context", "integrations", "timestamp", "sentAt", "originalTimestamp", "receivedAt"),
    *("channel", "version"),
)


def fits_the_route(route: str, document: Mapping[str, Any]) -> Iterator[Finding]:
    """What the Tracking API refuses before it looks at the calls: a body, or a call in it, that is too large."""
    body = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    try:
        parse_body(route, body.encode(errors="replace"))
    except BadRequest as error:
        yield Finding(
            severity=ERROR,
            path=(),
            message=f"{error.message}.",
            why="The Tracking API answers 400 and takes nothing of it.",
            fix=error.hint or "Send less at once.",
        )


def members(event: Mapping[str, Any]) -> Iterator[Finding]:
    """Members that look like slips: Segment carries along what it does not know."""
    for key in event:
        slip = None if key in _MEMBERS else nearest(key, _MEMBERS)
        if slip is not None:
            yield Finding(
                severity=WARNING,
                path=(key,),
                message=f"Segment has no use for a member {key!r}.",
                why="It is carried along, and nobody looks at it.",
                fix=slip,
            )


def moments(event: Mapping[str, Any]) -> Iterator[Finding]:
    """Times that nobody can read."""
    for key in _MOMENTS:
        value = event.get(key)
        if isinstance(value, str) and parse_timestamp(value) is None:
            yield Finding(
                severity=WARNING,
                path=(key,),
                message="this is no ISO 8601 time.",
                found=value,
                allowed="a time such as 2026-03-01T12:00:00.000Z",
                why="The time of receipt counts instead.",
                fix="Write the time in ISO 8601.",
            )
