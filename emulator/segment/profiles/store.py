"""Profiles in the store, and identity resolution: which profile a call belongs to.

"Identity Resolution" in Segment's documentation: the identifiers of a call match no profile (a new one is created), one
(the call attaches to it) or several (they merge). A merged profile must stay within the limits, one `user_id` and five
of any other type; otherwise the identifier of lowest priority on the call is dropped and matching starts again.
Priority: `user_id`, then `email`, then the others by name.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from emulator.json_text import compact
from emulator.segment.profiles.history_store import HistoryStore
from emulator.segment.profiles.profile import USER_ID, Identifier, Profile
from emulator.segment.profiles.trait_settings import settings_of, stored_settings
from emulator.segment.tables import IDENTIFIERS, MEMBERSHIPS, PROFILES
from emulator.statements import Prepared, insert_numbered, insert_values, keys

_LIMITS = {USER_ID: 1}
_LIMIT = 5
_AFTER_ALL_STORED = 1 << 63

_PROFILES = Prepared(select(PROFILES).where(PROFILES.c.id.in_(keys())).order_by(PROFILES.c.id))
_IDENTIFIERS = Prepared(select(IDENTIFIERS).where(IDENTIFIERS.c.profile_id.in_(keys())).order_by(IDENTIFIERS.c.id))
_MEMBERSHIPS = Prepared(select(MEMBERSHIPS).where(MEMBERSHIPS.c.profile_id.in_(keys())))
_LAST_TURN = Prepared(select(func.max(PROFILES.c.turn)))
_OWNERS = Prepared(
    select(IDENTIFIERS.c.profile_id).where(IDENTIFIERS.c.type == bindparam("of_type"), IDENTIFIERS.c.value.in_(keys()))
)
_CHANGE = Prepared(
    update(PROFILES)
    .where(PROFILES.c.id == bindparam("key"))
    .values({name: bindparam(f"new_{name}") for name in ("traits", "updated", "set_at", "turn")})
)
_IDENTIFY = Prepared(insert(IDENTIFIERS).values({name: bindparam(name) for name in ("type", "value", "profile_id")}))
_MEMBERSHIP = ("profile_id", "audience_key")
_LEAVE = Prepared(
    delete(MEMBERSHIPS).where(
        MEMBERSHIPS.c.profile_id == bindparam("profile"), MEMBERSHIPS.c.audience_key == bindparam("audience")
    )
)


class ProfileSession:
    """The profiles that one transaction works on: read at once, changed in memory, saved at once.

    They are those with one of the identifiers, or with these keys. `history` loads events and journeys as well.
    """

    def __init__(
        self,
        connection: Connection,
        identifiers: Iterable[Identifier] = (),
        *,
        keys: Sequence[int] = (),
        history: bool = False,
    ) -> None:
        self._connection = connection
        self._by_identifier: dict[Identifier, Profile] = {}
        # Those that were merged into others among them.
        self._profiles: list[Profile] = []
        self._added: list[tuple[Identifier, Profile]] = []
        self._orders = count(_AFTER_ALL_STORED)
        self._turn: int | None = None
        self._history = HistoryStore(connection)
        self._with_history = history
        self._read(keys or _keys_of(connection, set(identifiers)))

    def profiles(self) -> list[Profile]:
        """All of them, the stored ones first, oldest first."""
        return [profile for profile in self._profiles if profile.merged_into is None]

    def resolve(self, identifiers: Sequence[Identifier], at: int) -> tuple[Profile, frozenset[Identifier]]:
        """The profile that the identifiers, highest priority first, belong to, and those that are new to it."""
        wanted = list(dict.fromkeys(identifiers))
        matched = self._matched(wanted)
        while len(wanted) > 1 and not _within_limits(wanted, matched):
            wanted.pop()
            matched = self._matched(wanted)
        profile = matched[0] if matched else self._keep(Profile(key=None, created_at=at, changed=True))
        before = frozenset(profile.identifiers)
        for other in matched[1:]:
            profile.absorb(other)
            self._by_identifier |= dict.fromkeys(other.identifiers, profile)
        for identifier in wanted:
            if identifier not in profile.identifiers:
                profile.identifiers[identifier] = next(self._orders)
                self._by_identifier[identifier] = profile
                self._added.append((identifier, profile))
        return profile, frozenset(profile.identifiers) - before

    def set_traits(self, profile: Profile, traits: Mapping[str, Any], at: int) -> None:
        """Sets traits, after everything that was set before with the same timestamp."""
        if not traits:
            return
        if self._turn is None:
            self._turn = _LAST_TURN.value(self._connection) or 0
        self._turn += 1
        profile.set_traits(traits, (at, self._turn))

    def save(self) -> None:
        """Writes everything that changed."""
        profiles = self.profiles()
        # The key of each stored profile that is gone, and of the one that it lives on in.
        absorbed = [profile for profile in self._profiles if profile.merged_into and profile.key is not None]
        self._save_profiles(profiles)
        moved = {profile.key: key_of(profile) for profile in absorbed if profile.key is not None}
        self._save_identifiers(moved)
        self._save_memberships(profiles, [*moved])
        for gone, kept in moved.items():
            self._history.reassign(gone, kept)
        if self._with_history:
            self._history.save(profiles, absorbed)
        if moved:
            self._connection.execute(delete(PROFILES).where(PROFILES.c.id.in_([*moved])))

    def _matched(self, identifiers: Sequence[Identifier]) -> list[Profile]:
        """The profiles that have one of the identifiers, the oldest first."""
        found = {self._by_identifier[identifier] for identifier in identifiers if identifier in self._by_identifier}
        return sorted(found, key=lambda profile: profile.position)

    def _keep(self, profile: Profile) -> Profile:
        profile.position = len(self._profiles)
        self._profiles.append(profile)
        return profile

    def _read(self, keys: Sequence[int]) -> None:
        if not keys:
            return
        for profile in read_profiles(self._connection, keys):
            self._keep(profile)
            self._by_identifier |= dict.fromkeys(profile.identifiers, profile)
        if self._with_history:
            self._history.load(self._profiles)
        for profile in self._profiles:
            profile.stored = profile.snapshot()

    def _save_profiles(self, profiles: Sequence[Profile]) -> None:
        new = [profile for profile in profiles if profile.key is None]
        old = [profile for profile in profiles if profile.key is not None and profile.changed]
        if new:
            rows = [_row(profile) | {"created_at": profile.created_at} for profile in new]
            for profile, key in zip(new, insert_numbered(self._connection, PROFILES, rows), strict=True):
                profile.key = key
        if old:
            changed = [(profile.key, _row(profile)) for profile in old]
            rows = [{"key": key, **{f"new_{name}": value for name, value in row.items()}} for key, row in changed]
            _CHANGE.many(self._connection, rows)

    def _save_identifiers(self, moved: Mapping[int, int]) -> None:
        for gone, kept in moved.items():
            of_absorbed = update(IDENTIFIERS).where(IDENTIFIERS.c.profile_id == gone)
            self._connection.execute(of_absorbed.values(profile_id=kept))
        rows = [{"type": kind, "value": value, "profile_id": key_of(profile)} for (kind, value), profile in self._added]
        _IDENTIFY.many(self._connection, rows)

    def _save_memberships(self, profiles: Sequence[Profile], gone: Sequence[int]) -> None:
        if gone:
            self._connection.execute(delete(MEMBERSHIPS).where(MEMBERSHIPS.c.profile_id.in_(gone)))
        entered, left = [], []
        for profile in profiles:
            before, now = profile.stored.audiences, profile.audiences
            if before == now:
                continue
            entered += [(profile.key, key) for key in sorted(now - before)]
            left += [{"profile": profile.key, "audience": key} for key in sorted(before - now)]
        _LEAVE.many(self._connection, left)
        insert_values(self._connection, MEMBERSHIPS, _MEMBERSHIP, entered)


def key_of(profile: Profile) -> int:
    """The key of a saved profile, or of the one that it was merged into."""
    while profile.merged_into is not None:
        profile = profile.merged_into
    assert profile.key is not None, "saved profiles have keys"  # noqa: S101 - an invariant of ProfileSession.save
    return profile.key


def read_profiles(connection: Connection, wanted: Sequence[int]) -> list[Profile]:
    """The stored profiles with these keys, oldest first, with their identifiers and audiences."""
    rows = _PROFILES.matching(connection, sorted(wanted))
    profiles = {
        row.id: Profile(
            key=row.id,
            created_at=row.created_at,
            traits=(traits := json.loads(row.traits)),
            updated=settings_of(traits, row.updated, row.set_at, row.turn),
        )
        for row in rows
    }
    for row in _IDENTIFIERS.matching(connection, wanted):
        profiles[row.profile_id].identifiers[row.type, row.value] = row.id
    for row in _MEMBERSHIPS.matching(connection, wanted):
        profiles[row.profile_id].audiences.add(row.audience_key)
    return list(profiles.values())


def _keys_of(connection: Connection, identifiers: set[Identifier]) -> list[int]:
    by_type: dict[str, list[str]] = {}
    for kind, value in identifiers:
        by_type.setdefault(kind, []).append(value)
    found: set[int] = set()
    for kind, values in by_type.items():
        found.update(row.profile_id for row in _OWNERS.matching(connection, values, of_type=kind))
    return sorted(found)


def _row(profile: Profile) -> dict[str, Any]:
    return {"traits": compact(profile.traits), **stored_settings(profile.traits, profile.updated)}


def _within_limits(identifiers: Sequence[Identifier], matched: Sequence[Profile]) -> bool:
    together = set(identifiers).union(*(profile.identifiers for profile in matched))
    kinds = [kind for kind, _ in together]
    if len(set(kinds)) == len(kinds):
        return True
    return all(count <= _LIMITS.get(kind, _LIMIT) for kind, count in Counter(kinds).items())
