"""Events as they are stored: a form, which all events of a kind along a route share, and the content of one profile.

An event repeats the names of its audience, space and destination, and the events of one call repeat the traits of the
profile. Each is stored once: with fifty audiences, a profile has one content and fifty events of a few numbers. A form
is cut out of an event that is made with marks in the place of the content.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from hashlib import blake2b
from typing import Any, Final, NamedTuple

from emulator.ids import Ids
from emulator.json_text import compact
from emulator.segment.engage.audience_events import (
    AudienceRoute,
    Route,
    contents,
    emails_sent,
    enriched,
    envelope,
    identity_of,
    times_of,
)
from emulator.segment.engage.journey_events import StepRoute, step_events
from emulator.segment.event_contents import AFTER_ID, BEFORE_ID
from emulator.segment.profiles.profile import Profile, Progress

# JSON escapes control characters, so that nothing but these becomes what `_MARK` finds.
_TRAITS: Final = {"\x01": 0}
_EMAIL: Final = "\x02"
_IDENTITY: Final = {"\x03": 0}
_TIMES: Final = {"\x04": 0}
# Fields beside the traits. An audience with such a key replaces the field.
_FIELDS: Final = ("email", "audience_key")
_ID_BYTES: Final = len("personas_") + 27
_MARK: Final = re.compile(r'"\\u000([13])":0,|"\\u000(2)"|"\\u000(4)":0}')


@dataclass(frozen=True, kw_only=True)
class EventForm:
    """What all events of a kind along a route share. The texts stand before the parts of the content, in that order.

    `audience_key` is empty for a call of a source that is sent on as it is.
    """

    destination: str
    audience_key: str
    type: str
    event: str | None = None
    before_traits: str = ""
    before_email: str = ""
    before_identity: str = ""
    before_times: str = ""

    @cached_property
    def digest(self) -> str:
        """Equal forms have the same, 32 hexadecimal digits."""
        parts = (self.destination, self.audience_key, self.type, self.event, *self._texts)
        return blake2b(compact(parts).encode(), digest_size=16).hexdigest()

    @cached_property
    def size(self) -> int:
        """The bytes of its texts, and of the message id with what is around it."""
        return len("".join((BEFORE_ID, AFTER_ID, *self._texts)).encode()) + _ID_BYTES

    @property
    def _texts(self) -> tuple[str, str, str, str]:
        return self.before_traits, self.before_email, self.before_identity, self.before_times


class EventContent(NamedTuple):
    """What a profile has in its events, as parts of JSON texts, and what they are found by: user id and email.

    `found_by_email` is in lower case; of a call with neither user id nor email it is the anonymous id. An event of an
    unusual shape is all in `traits`.
    """

    user_id: str | None
    found_by_email: str | None
    traits: str
    email: str = ""
    identity: str = ""
    times: str = ""

    @property
    def size(self) -> int:
        """The bytes of its texts."""
        return len("".join((self.traits, self.email, self.identity, self.times)).encode())


class EmittedEvent(NamedTuple):
    """An event for one destination instance. `at` is the time of the change, `message_id` is escaped as in JSON."""

    at: datetime
    message_id: str
    form: EventForm
    content: EventContent

    @property
    def audience_key(self) -> str:
        """The key of the audience or of the journey step."""
        return self.form.audience_key

    @property
    def destination(self) -> str:
        """The destination instance."""
        return self.form.destination

    @property
    def is_call(self) -> bool:
        """Whether it is a call of a source, and none of Engage's own."""
        return not self.form.audience_key

    def with_payload(self, payload: Mapping[str, Any]) -> EmittedEvent:
        """The event with another content; what it is found by stays."""
        form = EventForm(
            destination=self.form.destination,
            audience_key=self.form.audience_key,
            type=self.form.type,
            event=self.form.event,
        )
        user_id, found_by_email, *_ = self.content
        return self._replace(form=form, content=EventContent(user_id, found_by_email, whole_text(payload)))

    @property
    def text(self) -> str:
        """The event as JSON."""
        form, content = self.form, self.content
        return (
            f"{BEFORE_ID}{self.message_id}{AFTER_ID}{form.before_traits}{content.traits}{form.before_email}"
            f"{content.email}{form.before_identity}{content.identity}{form.before_times}{content.times}"
        )


@dataclass(frozen=True, slots=True)
class EmittingRoute:
    """A route with the forms of its events, by whether the profile has entered and whether an email is sent.

    There are none where a trait is sent under the name of a field beside it, which is then in the place of the trait.
    `traits` is the same text for routes that send the same traits.
    """

    route: AudienceRoute
    traits: str
    forms: Mapping[tuple[bool, bool], tuple[EventForm, ...]] | None

    @classmethod
    def of(cls, route: AudienceRoute) -> EmittingRoute:
        """The route with its forms."""
        forms = {
            (entered, email is not None): [
                _form(route, content, with_email=email is not None)
                for content in contents(route, _TRAITS, email, entered=entered)
            ]
            for entered in (True, False)
            for email in (None, _EMAIL)
        }
        known = {key: tuple(form for form in made if form is not None) for key, made in forms.items()}
        plain = all(len(known[key]) == len(made) for key, made in forms.items())
        return cls(route, compact(dict(route.connection.traits)), known if plain else None)


class Emitter:
    """Makes the events of one profile at one time; what they share is worked out once."""

    def __init__(self, profile: Profile, at: datetime, ids: Ids) -> None:
        self._profile = profile
        self._at = at
        self._ids = ids
        self._emails: dict[tuple[str | None, bool], list[str | None]] = {}
        self._contents: dict[tuple[str, str | None], EventContent] = {}

    def audiences(self, changes: Iterable[tuple[EmittingRoute, bool]]) -> list[EmittedEvent]:
        """What changes of membership, entered or not, send along routes: see `audience_events`."""
        parts = [pair for emitting, entered in changes for pair in self._parts(emitting, entered)]
        names = self._ids.ksuids(self._at, len(parts))
        return [EmittedEvent(self._at, f"personas_{name}", *pair) for name, pair in zip(names, parts, strict=True)]

    def step(self, route: StepRoute, progress: Progress, *, entered: bool) -> Iterator[EmittedEvent]:
        """What joining or leaving a journey step sends along a route."""
        for event in step_events(route, self._profile, progress, entered=entered, at=self._at, ids=self._ids):
            yield EmittedEvent(event.at, event.message_id, *_whole(route, event.payload))

    def _parts(self, emitting: EmittingRoute, entered: bool) -> Iterator[tuple[EventForm, EventContent]]:
        route, strategy = emitting.route, (emitting.route.connection.email, entered)
        emails = self._emails.get(strategy)
        if emails is None:
            emails = self._emails[strategy] = emails_sent(route.connection.email, self._profile, entered=entered)
        for email in emails:
            if emitting.forms is None:
                traits = enriched(route.connection.traits, self._profile)
                for content in contents(route, traits, email, entered=entered):
                    payload = envelope(route, content, "", identity_of(self._profile), times_of(self._at))
                    yield _whole(route, payload)
                continue
            shared = self._contents.get((emitting.traits, email)) or self._content(emitting, email)
            for form in emitting.forms[entered, email is not None]:
                yield form, shared

    def _content(self, emitting: EmittingRoute, email: str | None) -> EventContent:
        traits = enriched(emitting.route.connection.traits, self._profile)
        identity = identity_of(self._profile)
        content = EventContent(
            user_id=identity.get("userId"),
            found_by_email=_lower(traits.get("email") if email is None else email),
            traits=_members(traits),
            email="" if email is None else compact(email),
            identity=_members(identity),
            times=_times(self._at),
        )
        self._contents[emitting.traits, email] = content
        return content


def _form(route: AudienceRoute, content: Mapping[str, Any], *, with_email: bool) -> EventForm | None:
    """The form of the events that are made like this one, of content with marks; None for an unusual one."""
    beside = content.get("traits") or content["properties"]
    if route.key in _FIELDS or not beside.keys().isdisjoint(route.connection.traits.values()):
        return None
    text = compact(envelope(route, content, "", _IDENTITY, _TIMES))[len(BEFORE_ID + AFTER_ID) :]
    marks = [*_MARK.finditer(text)]
    found = "".join(mark[mark.lastindex or 0] for mark in marks)
    if found != ("1234" if with_email else "134"):
        return None
    ends = [0, *(mark.end() for mark in marks)]
    texts = [text[end : mark.start()] for end, mark in zip(ends, marks, strict=False)]
    if len(texts) == 3:
        texts.insert(1, "")
    return EventForm(
        destination=route.destination,
        audience_key=route.key,
        type=content["type"],
        event=content.get("event"),
        before_traits=texts[0],
        before_email=texts[1],
        before_identity=texts[2],
        before_times=texts[3],
    )


def _whole(route: Route, payload: Mapping[str, Any]) -> tuple[EventForm, EventContent]:
    """The parts of an event whose content has everything but the message id."""
    form = EventForm(
        destination=route.destination,
        audience_key=route.key,
        type=payload["type"],
        event=payload.get("event"),
    )
    places = (payload.get("traits"), payload["context"].get("traits"), payload.get("properties"))
    emails = (place.get("email") for place in places if place)
    content = EventContent(
        user_id=payload.get("userId"),
        found_by_email=next((_lower(email) for email in emails if isinstance(email, str)), None),
        traits=whole_text(payload),
    )
    return form, content


def whole_text(payload: Mapping[str, Any]) -> str:
    """An event as JSON from after its message id on."""
    return f",{_members({name: value for name, value in payload.items() if name != 'messageId'})}"[:-1] + "}"


def _members(values: Mapping[str, Any]) -> str:
    """The members of an object as JSON, each followed by a comma."""
    return f"{compact(values)[1:-1]}," if values else ""


@lru_cache(maxsize=16)  # all events of a call have the same time
def _times(at: datetime) -> str:
    return compact(times_of(at))[1:]


def _lower(email: object) -> str | None:
    return email.lower() if isinstance(email, str) else None
