"""Checks of Tracking API calls: what its schema cannot state, and what Segment ignores silently."""

from __future__ import annotations

import json
from collections.abc import Iterator

from emulator.errors import nearest
from emulator.harness.checks.document_kinds import ENGAGE_EVENTS, Content
from emulator.harness.checks.finding import DOCUMENT, ERROR, WARNING, Finding, check, sentence
from emulator.mapping import load_definition, newest
from emulator.segment import BadRequest
from emulator.segment.tracking.calls import CALLS
from emulator.segment.tracking.request_body import parse_body
from emulator.timestamps import parse_timestamp

# "Spec: Common fields", and the fields of single types of call.
_FIELDS = (
    *("type", "userId", "anonymousId", "previousId", "groupId", "messageId", "writeKey", "event", "name", "category"),
    *("traits", "properties", "context", "integrations", "timestamp", "sentAt", "originalTimestamp", "receivedAt"),
    *("channel", "version"),
)


@check("C001", ERROR, "The request is larger than the Tracking API accepts.", DOCUMENT)
def too_large(content: Content) -> Iterator[Finding]:
    """Of a call, or a batch or a call in it."""
    route = content.kind.name
    if route not in (*CALLS, "batch"):
        return
    body = json.dumps(content.value, separators=(",", ":"), ensure_ascii=False)
    try:
        parse_body(route, body.encode(errors="replace"))
    except BadRequest as error:
        yield Finding(
            place=content.place(),
            message=sentence(error.message),
            why="The Tracking API answers 400 and ingests nothing from the request.",
            fix=error.hint or "Send less data at once.",
        )


@check("C002", WARNING, "A field has an unknown name that is close to a known one.", *CALLS, *ENGAGE_EVENTS)
def misspelt_field(content: Content) -> Iterator[Finding]:
    for key in content.value:
        suggestion = None if key in _FIELDS else nearest(key, _FIELDS)
        if suggestion is not None:
            yield Finding(
                place=content.place(key),
                message=f"Segment does not use a field {key!r}.",
                why="Segment passes it on and ignores it.",
                fix=suggestion,
            )


@check("C003", WARNING, "A timestamp cannot be parsed.", *CALLS)
def invalid_timestamp(content: Content) -> Iterator[Finding]:
    for key in ("timestamp", "sentAt"):
        value = content.value.get(key)
        if isinstance(value, str) and parse_timestamp(value) is None:
            yield Finding(
                place=content.place(key),
                message="This timestamp is not in ISO 8601 format.",
                found=value,
                allowed="a timestamp such as 2026-03-01T12:00:00.000Z",
                why="Segment uses the time of receipt instead.",
                fix="Write the timestamp in ISO 8601 format.",
            )


@check("C004", WARNING, "The integrations object names the destination in another way.", *CALLS)
def misspelt_integration(content: Content) -> Iterator[Finding]:
    named = content.value.get("integrations")
    wanted = load_definition(newest()).name
    for key in named if isinstance(named, dict) else ():
        if key not in (wanted, "All") and (key.lower() == "all" or _is_meant(key)):
            right = "All" if key.lower() == "all" else wanted
            yield Finding(
                place=content.place("integrations", key),
                message=f"Segment does not know the destination {key!r}.",
                found=key,
                allowed=f"All, {wanted}",
                why="The names in an integrations object are those of Segment's catalog, and case-sensitive; any other "
                "has no effect.",
                fix=f"Write {right!r}.",
            )


def _is_meant(key: str) -> bool:
    """Whether the name is meant for the destination. The catalog has StackAdapt Events & Conversions as well."""
    plain = "".join(filter(str.isalnum, key.lower()))
    return plain.startswith("stackadapt") and not plain.startswith("stackadaptevents")
