"""Calls of the Tracking API: a parsed body becomes calls, each accepted or rejected with Segment's code.

Segment answers 200 to every body that parses, even for a call that it drops: Delivery Overview lists the code under
"Failed on ingest". Limits and codes: "HTTP Tracking API" and "Delivery Overview" in Segment's documentation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from emulator.ids import Ids
from emulator.timestamps import corrected, parse_timestamp

CALLS = ("identify", "track", "page", "screen", "group", "alias")
BATCHES = ("batch", "import")
EVENTS_IN_A_BATCH = 2500
MESSAGE_ID_CHARACTERS = 100
# An identify with this many or more is rejected ("Unify product limits").
TRAITS_TOO_MANY = 300
DUPLICATE = "duplicate"
# Segment lists no code for these cases; `bad_request` is its most general one.
UNSUPPORTED = "bad_request"
EMPTY_BATCH = "empty_batch"
# Our own: Segment lists no code for the calls of a disabled source.
SOURCE_DISABLED = "SOURCE_DISABLED"

Message = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """An accepted call. `timestamp` is corrected for the sender's clock; identifiers are non-empty or None.

    `message` is the call as received, with the batch's `context` and `integrations` merged in. `notes` say what its
    source left out of it or found wrong, a clause each; `complete` is the message before anything was left out.
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
    notes: tuple[str, ...] = ()
    complete: Message | None = None

    @property
    def has_traits(self) -> bool:
        """Whether it is about traits; calls of other types are events with properties."""
        return self.type in ("identify", "group")

    @property
    def named_by_sender(self) -> bool:
        """Whether the message id is the sender's: a generated one cannot identify a duplicate."""
        return self.message.get("messageId") == self.message_id


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedCall:
    """A call that failed on ingest; `reason` is Segment's code, `message` the call as far as it is an object.

    `why` is a clause that says more than the code.
    """

    type: str
    message_id: str
    reason: str
    message: Message = field(default_factory=dict)
    why: str | None = None


IngestResult = Call | RejectedCall


def sender_in(message: Message) -> tuple[str | None, str | None]:
    """The user id and the email of a call, accepted or not. An id that is a number, a common mistake, is its text."""
    given = message.get("userId")
    user_id = str(given) if isinstance(given, str | int) and not isinstance(given, bool) else None
    places = (message, _object(message.get("context")))
    traits = [_object(place.get("traits")) for place in places] + [_object(message.get("properties"))]
    emails = (each.get("email") for each in traits)
    return user_id or None, next((email for email in emails if isinstance(email, str) and email), None)


def read_calls(route: str, body: Message, *, received_at: datetime, ids: Ids) -> list[IngestResult]:
    """The calls in a body posted to `/v1/<route>`, in order."""
    if route not in BATCHES:
        return [_read({**body, "type": route}, body.get("sentAt"), received_at, ids)]
    items = body.get("batch")
    if not isinstance(items, list):
        return [_rejected(route, {}, UNSUPPORTED, received_at, ids)]
    if not items:
        return [_rejected(route, {}, EMPTY_BATCH, received_at, ids)]
    return [
        _read_item(item, body, received_at, ids)
        if position < EVENTS_IN_A_BATCH
        else _rejected(route, item, UNSUPPORTED, received_at, ids)
        for position, item in enumerate(items)
    ]


def refused_calls(route: str, body: Message) -> Iterator[tuple[str, Message]]:
    """The type and the message of each call in a body that was refused as a whole; the route's type where unknown."""
    items = body.get("batch") if route in BATCHES else None
    for item in items if isinstance(items, list) and items else [{**body, "type": route}]:
        message = _object(item)
        yield message["type"] if message.get("type") in CALLS else route, message


def without_duplicates(results: Iterable[IngestResult], seen: Iterable[str]) -> Iterator[IngestResult]:
    """The results, with accepted calls rejected when their message id was seen before."""
    known = set(seen)
    for result in results:
        if not isinstance(result, Call) or not result.named_by_sender:
            yield result
        elif result.message_id in known:
            yield RejectedCall(type=result.type, message_id=result.message_id, reason=DUPLICATE, message=result.message)
        else:
            known.add(result.message_id)
            yield result


def dropped(results: Iterable[IngestResult], reason: str) -> Iterator[RejectedCall]:
    """All results as calls that were rejected for this reason."""
    for result in results:
        yield RejectedCall(type=result.type, message_id=result.message_id, reason=reason, message=result.message)


def _read_item(item: object, body: Message, received_at: datetime, ids: Ids) -> IngestResult:
    if not isinstance(item, dict) or item.get("type") not in CALLS:
        return _rejected("batch", item, UNSUPPORTED, received_at, ids)
    shared = {key: body[key] for key in ("context", "integrations") if isinstance(body.get(key), dict)}
    merged = {key: {**value, **_object(item.get(key))} for key, value in shared.items()}
    return _read({**item, **merged}, item.get("sentAt") or body.get("sentAt"), received_at, ids)


def _read(message: Message, sent_at: object, received_at: datetime, ids: Ids) -> IngestResult:
    kind = message["type"]
    reason = next((reason for check in (_short_message_id, *_CHECKS[kind]) if (reason := check(message))), None)
    if reason:
        return _rejected(kind, message, reason, received_at, ids)
    original = parse_timestamp(message.get("timestamp")) or received_at
    sent = parse_timestamp(sent_at)
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


def _rejected(kind: str, message: object, reason: str, received_at: datetime, ids: Ids) -> RejectedCall:
    given = _object(message)
    return RejectedCall(type=kind, message_id=_message_id(given, received_at, ids), reason=reason, message=given)


def _message_id(message: Message, received_at: datetime, ids: Ids) -> str:
    """The sender's id, or `api-<ksuid>` as Segment generates it."""
    given = message.get("messageId")
    return given if isinstance(given, str) and given else f"api-{ids.ksuid(received_at)}"


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


Check = Callable[[Message], str | None]


def _short_message_id(message: Message) -> str | None:
    given = message.get("messageId")
    return UNSUPPORTED if isinstance(given, str) and len(given) > MESSAGE_ID_CHARACTERS else None


def _an_id(message: Message) -> str | None:
    """Libraries send null for an id that they do not have, so null counts as absent."""
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
