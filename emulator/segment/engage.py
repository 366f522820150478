"""Engage: every call updates a profile, every audience is computed at once, every change of membership is emitted.

Documented under "Using Engage data" and "Engage Audiences": a member has at least a `user_id` or an `email`; only
identify calls set traits, while `context.traits.email` of any call becomes an identifier; a new external id on a member
is sent although the membership did not change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection as Transaction

from emulator.events import MembershipChanged
from emulator.ids import Ids
from emulator.segment.audience_events import AudienceEvent, Route, audience_events
from emulator.segment.conditions import Condition, compile_condition
from emulator.segment.moments import to_millis
from emulator.segment.profiles import (
    ANONYMOUS_ID,
    EMAIL,
    USER_ID,
    Identifier,
    Profile,
    ProfileBook,
    profile_id,
)
from emulator.segment.tracking import Call
from emulator.workspace import Audience, Workspace

_SENT_IDENTIFIERS = frozenset({USER_ID, EMAIL})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Computation:
    audience: Audience
    condition: Condition
    routes: tuple[Route, ...]


@dataclass(slots=True)
class Computed:
    """What a group of calls led to, in order."""

    events: list[AudienceEvent] = field(default_factory=list)
    changes: list[MembershipChanged] = field(default_factory=list)


class Engage:
    """The audiences of one space.

    `integrations` has, for each destination instance, the name by which its events are routed. Raises WorkspaceError
    for a condition that makes no sense.
    """

    def __init__(self, workspace: Workspace, ids: Ids, integrations: dict[str, str]) -> None:
        self._ids = ids
        self._computations = tuple(
            _Computation(
                audience=audience,
                condition=compile_condition(audience.condition, where=f"audience {audience.key!r}: condition"),
                routes=tuple(_routes(workspace, audience, integrations)),
            )
            for audience in workspace.audiences
        )

    def take(self, transaction: Transaction, calls: Sequence[Call], *, at: datetime) -> Computed:
        """Applies calls in order and computes every audience after each of them."""
        identified = [(call, identifiers_of(call)) for call in calls if call.type != "alias"]
        book = ProfileBook(transaction, (identifier for _, found in identified for identifier in found))
        computed = Computed()
        changed: list[tuple[Profile, Audience, bool]] = []
        for call, identifiers in identified:
            profile, new = book.resolve(identifiers, to_millis(at))
            if call.type == "identify":
                profile.set_traits(_object(call.message.get("traits")), to_millis(call.timestamp))
            resend = any(kind in _SENT_IDENTIFIERS for kind, _ in new)
            changed += self._compute(profile, computed, at, resend=resend)
        book.save()
        computed.changes = [
            MembershipChanged(
                at=at, audience_key=audience.key, profile_id=profile_id(book.key_of(profile)), entered=entered
            )
            for profile, audience, entered in changed
        ]
        return computed

    def place(
        self,
        transaction: Transaction,
        key: str,
        identifiers: Sequence[Identifier],
        traits: Mapping[str, Any],
        *,
        entered: bool,
        at: datetime,
    ) -> Computed:
        """Puts a person into the audience with this key, or takes them out, and emits it, whatever the condition says.

        The other audiences, and this one, are computed again with the next call for the person.
        """
        book = ProfileBook(transaction, identifiers)
        profile, _ = book.resolve(identifiers, to_millis(at))
        profile.set_traits(traits, to_millis(at))
        computation = next(each for each in self._computations if each.audience.key == key)
        computed = Computed()
        for route in computation.routes:
            computed.events += audience_events(route, profile, entered=entered, at=at, ids=self._ids)
        changes = (key in profile.audiences) != entered
        (profile.audiences.add if entered else profile.audiences.discard)(key)
        book.save()
        if changes:
            changed = profile_id(book.key_of(profile))
            computed.changes.append(MembershipChanged(at=at, audience_key=key, profile_id=changed, entered=entered))
        return computed

    def _compute(
        self, profile: Profile, computed: Computed, at: datetime, *, resend: bool
    ) -> Iterator[tuple[Profile, Audience, bool]]:
        eligible = bool(profile.values(USER_ID) or profile.values(EMAIL))
        for computation in self._computations:
            key = computation.audience.key
            before, now = key in profile.audiences, eligible and computation.condition(profile.traits)
            if before == now and not (now and resend):
                continue
            for route in computation.routes:
                computed.events += audience_events(route, profile, entered=now, at=at, ids=self._ids)
            if before != now:
                (profile.audiences.add if now else profile.audiences.remove)(key)
                yield profile, computation.audience, now


def identifiers_of(call: Call) -> list[Identifier]:
    """The external ids that Segment promotes from a call, highest priority first ("External IDs")."""
    found = [(USER_ID, call.user_id)]
    if call.type == "identify":
        found.append((EMAIL, _email(call.message.get("traits"))))
    found.append((EMAIL, _email(_object(call.message.get("context")).get("traits"))))
    found.append((ANONYMOUS_ID, call.anonymous_id))
    return [(kind, value) for kind, value in found if value]


def _routes(workspace: Workspace, audience: Audience, integrations: dict[str, str]) -> Iterable[Route]:
    for destination in workspace.destinations:
        for connection in destination.connections:
            if connection.audience_key == audience.key:
                yield Route(
                    audience=audience,
                    connection=connection,
                    destination=destination.name,
                    integration=integrations[destination.name],
                    space=workspace.space,
                )


def _email(traits: object) -> str | None:
    value = _object(traits).get("email")
    return value if isinstance(value, str) else None


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
