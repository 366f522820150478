"""The HTTP Tracking API without HTTP: a body becomes calls, each accepted or failed on ingest with Segment's code.

Segment answers 200 to everything that parses, even to a call it drops; the code shows up in Delivery Overview under
"Failed on ingest". Only malformed JSON and bodies that are too large are refused. Limits and codes: "HTTP Tracking API"
and "Delivery Overview" in Segment's documentation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from emulator.ids import Ids
from emulator.timestamps import corrected, parse_moment

CALLS = ("identify", "track", "page", "screen", "group", "alias")
BATCHES = ("batch", "import")
EVENTS_IN_A_BATCH = 2500
MESSAGE_ID_CHARACTERS = 100
# An identify with as many is rejected ("Unify product limits").
TRAITS_TOO_MANY = 300
DUPLICATE = "duplicate"
# Not in Segment's list of codes by this meaning; `bad_request` is its most general one.
UNSUPPORTED = "bad_request"
EMPTY_BATCH = "empty_batch"

Message = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call that was accepted. `timestamp` is corrected for the sender's clock; identifiers are non-empty or None.

    `message` is the call as it came, with the batch's `context` and `integrations` merged in.
    """

    type: str
    message_id: str
    user_id: str | None
    anonymous_id: str | None
    original_timestamp: datetime
    sent_at: datetime | None
    received_at: datetime
    timestamp: datetime
    message: Message

    @property
    def named_by_sender(self) -> bool:
        """Whether the message id is the sender's own: a generated one says nothing about duplicates."""
        return self.message.get("messageId") == self.message_id


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedCall:
    """A call that failed on ingest, and Segment's code for the reason."""

    type: str
    message_id: str
    reason: str


IngestResult = Call | RejectedCall


def read_calls(route: str, body: Message, *, received_at: datetime, ids: Ids) -> list[IngestResult]:
    """The calls in a body posted to `/v1/<route>`, in order, each accepted or failed."""
    if route not in BATCHES:
        return [_read({**body, "type": route}, body.get("sentAt"), received_at, ids)]
    items = body.get("batch")
    if not isinstance(items, list):
        return [_failed(route, {}, UNSUPPORTED, received_at, ids)]
    if not items:
        return [_failed(route, {}, EMPTY_BATCH, received_at, ids)]
    return [
        _read_item(item, body, received_at, ids)
        if position < EVENTS_IN_A_BATCH
        else _failed(route, item, UNSUPPORTED, received_at, ids)
        for position, item in enumerate(items)
    ]


def without_duplicates(receptions: Iterable[IngestResult], seen: Iterable[str]) -> Iterator[IngestResult]:
    """The same receptions, with accepted calls turned into failed ones when their message id was seen before."""
    known = set(seen)
    for reception in receptions:
        if not isinstance(reception, Call) or not reception.named_by_sender:
            yield reception
        elif reception.message_id in known:
            yield RejectedCall(type=reception.type, message_id=reception.message_id, reason=DUPLICATE)
        else:
            known.add(reception.message_id)
            yield reception


def _read_item(item: object, body: Message, received_at: datetime, ids: Ids) -> IngestResult:
    if not isinstance(item, dict) or item.get("type") not in CALLS:
        return _failed("batch", item, UNSUPPORTED, received_at, ids)
    shared = {key: body[key] for key in ("context", "integrations") if isinstance(body.get(key), dict)}
    merged = {key: {**value, **_object(item.get(key))} for key, value in shared.items()}
    return _read({**item, **merged}, item.get("sentAt") or body.get("sentAt"), received_at, ids)


def _read(message: Message, sent_at: object, received_at: datetime, ids: Ids) -> IngestResult:
    kind = message["type"]
    reason = next((reason for check in (_short_message_id, *_CHECKS[kind]) if (reason := check(message))), None)
    if reason:
        return _failed(kind, message, reason, received_at, ids)
    original = parse_moment(message.get("timestamp")) or received_at
    sent = parse_moment(sent_at)
    return Call(
        type=kind,
        message_id=_message_id(message, received_at, ids),
        user_id=message.get("userId"),
        anonymous_id=message.get("anonymousId"),
        original_timestamp=original,
        sent_at=sent,
        received_at=received_at,
        timestamp=corrected(original=original, sent=sent, received=received_at),
        message=message,
    )


def _failed(kind: str, message: object, reason: str, received_at: datetime, ids: Ids) -> RejectedCall:
    return RejectedCall(type=kind, message_id=_message_id(_object(message), received_at, ids), reason=reason)


def _message_id(message: Message, received_at: datetime, ids: Ids) -> str:
    """The sender's, or `api-<ksuid>` as calls without one get."""
    given = message.get("messageId")
    return given if isinstance(given, str) and given else f"api-{ids.ksuid(received_at)}"


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


Check = Callable[[Message], str | None]


def _short_message_id(message: Message) -> str | None:
    given = message.get("messageId")
    return UNSUPPORTED if isinstance(given, str) and len(given) > MESSAGE_ID_CHARACTERS else None


def _an_id(message: Message) -> str | None:
    """Libraries send null for an id they do not have, so null is the same as absent."""
    given = [message[key] for key in ("userId", "anonymousId") if message.get(key) is not None]
    if not given:
        return "no_user_anon_id"
    return None if all(isinstance(value, str) and value for value in given) else "id_not_string"


def _few_traits(message: Message) -> str | None:
    return UNSUPPORTED if len(_object(message.get("traits"))) >= TRAITS_TOO_MANY else None


def _required_id(key: str) -> Check:
    def check(message: Message) -> str | None:
        value = message.get(key)
        if value is None:
            return "id_required"
        return None if isinstance(value, str) and value else "id_not_string"

    return check


def _event_name(message: Message) -> str | None:
    value = message.get("event")
    if value is None or value == "":
        return "event_not_defined"
    return None if isinstance(value, str) else "event_not_string"


def _optional(key: str, kind: type, reason: str) -> Check:
    def check(message: Message) -> str | None:
        value = message.get(key)
        return None if value is None or isinstance(value, kind) else reason

    return check


_TRAITS = _optional("traits", dict, "traits_not_object")
_PROPERTIES = _optional("properties", dict, "properties_not_object")
_PAGE = (
    _an_id,
    _optional("name", str, "name_not_string"),
    _optional("category", str, "category_not_string"),
    _PROPERTIES,
)
_CHECKS: Mapping[str, tuple[Check, ...]] = {
    "identify": (_an_id, _TRAITS, _few_traits),
    "track": (_an_id, _event_name, _PROPERTIES),
    "page": _PAGE,
    "screen": _PAGE,
    "group": (_an_id, _required_id("groupId"), _TRAITS),
    "alias": (_required_id("userId"), _required_id("previousId")),
}
