"""Profiles and identity resolution: who a call is about, what is known of them, which audiences they are in.

Identity rules as documented under "Identity Resolution": the identifiers on a call match no profile (a new one), one
(the call attaches to it) or several (they merge). A merged profile would have to stay within the limits, one `user_id`
and five of any other type; when it would not, the identifier of lowest priority on the call is dropped and matching
starts again. Priority: `user_id`, then `email`, then the others by name.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import count
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, delete, func, insert, select, update

from emulator.segment.profiles.history_store import HistoryStore, reassign
from emulator.segment.profiles.profile import USER_ID, Identifier, Profile, Setting
from emulator.segment.tables import IDENTIFIERS, MEMBERSHIPS, PROFILES

_LIMITS = {USER_ID: 1}
_LIMIT = 5
_AFTER_ALL_STORED = 1 << 63

# Built once: for a single call, building statements would take longer than running them.
_KEYS: BindParameter[Sequence[int]] = bindparam("keys", expanding=True)
_PROFILES = select(PROFILES).where(PROFILES.c.id.in_(_KEYS)).order_by(PROFILES.c.id)
_IDENTIFIERS = select(IDENTIFIERS).where(IDENTIFIERS.c.profile_id.in_(_KEYS)).order_by(IDENTIFIERS.c.id)
_MEMBERSHIPS = select(MEMBERSHIPS).where(MEMBERSHIPS.c.profile_id.in_(_KEYS))
_LAST_TURN = select(func.max(PROFILES.c.turn))
_OWNERS = select(IDENTIFIERS.c.profile_id).where(
    (IDENTIFIERS.c.type == bindparam("of_type")) & IDENTIFIERS.c.value.in_(bindparam("values", expanding=True))
)


class ProfileSession:
    """The profiles that one transaction works on: read at once, changed in memory, saved at once.

    They are those that have one of the identifiers, or these keys. With `remember`, events and journeys come along.
    """

    def __init__(
        self,
        connection: Connection,
        concerned: Iterable[Identifier] = (),
        *,
        keys: Sequence[int] = (),
        remember: bool = False,
    ) -> None:
        self._connection = connection
        self._by_identifier: dict[Identifier, Profile] = {}
        self._profiles: dict[int, Profile] = {}
        self._absorbed: dict[int, tuple[Profile, Profile]] = {}
        self._added: list[tuple[Identifier, Profile]] = []
        self._audiences_before: dict[int, frozenset[str]] = {}
        self._orders = count(_AFTER_ALL_STORED)
        self._ages: dict[int, int] = {}
        self._turn: int | None = None
        self._memory = HistoryStore(connection) if remember else None
        self._read(keys or _keys_of(connection, set(concerned)))

    def profiles(self) -> Collection[Profile]:
        """All of them, the stored ones first, oldest first."""
        return self._profiles.values()

    def resolve(self, identifiers: Sequence[Identifier], at: int) -> tuple[Profile, frozenset[Identifier]]:
        """The profile that the identifiers, highest priority first, belong to, and those that are new to it."""
        wanted = list(dict.fromkeys(identifiers))
        matched = self._matched(wanted)
        while len(wanted) > 1 and not _within_limits(wanted, matched):
            wanted.pop()
            matched = self._matched(wanted)
        profile = matched[0] if matched else self._create(at)
        before = frozenset(profile.identifiers)
        for other in matched[1:]:
            self._merge(other, into=profile)
        for identifier in wanted:
            if identifier not in profile.identifiers:
                self._add(identifier, profile)
        return profile, frozenset(profile.identifiers) - before

    def set_traits(self, profile: Profile, traits: Mapping[str, Any], at: int) -> None:
        """Takes new values over, after everything that was set before at the same moment."""
        if not traits:
            return
        if self._turn is None:
            self._turn = self._connection.scalar(_LAST_TURN) or 0
        self._turn += 1
        profile.set_traits(traits, (at, self._turn))

    def save(self) -> None:
        """Writes everything that changed."""
        gone = [absorbed.key for absorbed, _ in self._absorbed.values() if absorbed.key is not None]
        self._save_profiles()
        self._save_identifiers()
        self._save_memberships(gone)
        for absorbed, _ in self._absorbed.values():
            if absorbed.key is not None:
                reassign(self._connection, absorbed.key, self.key_of(absorbed))
        if self._memory is not None:
            self._memory.save(self._profiles.values())
        if gone:
            self._connection.execute(delete(PROFILES).where(PROFILES.c.id.in_(gone)))

    def key_of(self, profile: Profile) -> int:
        """The key under which a saved profile lives on, also after it was merged into another."""
        while id(profile) in self._absorbed:
            _, profile = self._absorbed[id(profile)]
        assert profile.key is not None, "profiles have keys once they are saved"  # noqa: S101 - a rule of this class
        return profile.key

    def _matched(self, identifiers: Sequence[Identifier]) -> list[Profile]:
        """The profiles that have one of the identifiers, the oldest first."""
        found = (self._by_identifier.get(identifier) for identifier in identifiers)
        profiles = dict.fromkeys(profile for profile in found if profile is not None)
        return sorted(profiles, key=lambda profile: self._ages[id(profile)])

    def _create(self, at: int) -> Profile:
        profile = Profile(key=None, created_at=at, changed=True)
        self._keep(profile)
        return profile

    def _keep(self, profile: Profile) -> None:
        self._profiles[id(profile)] = profile
        self._ages[id(profile)] = len(self._ages)

    def _add(self, identifier: Identifier, profile: Profile) -> None:
        profile.identifiers[identifier] = next(self._orders)
        self._by_identifier[identifier] = profile
        self._added.append((identifier, profile))

    def _merge(self, other: Profile, *, into: Profile) -> None:
        into.absorb(other)
        del self._profiles[id(other)]
        self._absorbed[id(other)] = (other, into)
        for identifier in other.identifiers:
            self._by_identifier[identifier] = into

    def _read(self, keys: Sequence[int]) -> None:
        if not keys:
            return
        for profile in read_profiles(self._connection, keys):
            self._keep(profile)
            self._audiences_before[id(profile)] = frozenset(profile.audiences)
            for identifier in profile.identifiers:
                self._by_identifier[identifier] = profile
        if self._memory is not None:
            self._memory.recall(self._profiles.values())

    def _save_profiles(self) -> None:
        new = [profile for profile in self._profiles.values() if profile.key is None]
        old = [profile for profile in self._profiles.values() if profile.key is not None and profile.changed]
        if new:
            rows = [_row(profile) | {"created_at": profile.created_at} for profile in new]
            statement = insert(PROFILES).returning(PROFILES.c.id, sort_by_parameter_order=True)
            keys = self._connection.execute(statement, rows).scalars().all()
            for profile, key in zip(new, keys, strict=True):
                profile.key = key
        if old:
            rows = [_row(profile) | {"key": profile.key} for profile in old]
            self._connection.execute(update(PROFILES).where(PROFILES.c.id == bindparam("key")), rows)

    def _save_identifiers(self) -> None:
        for absorbed, kept in self._absorbed.values():
            if absorbed.key is not None:
                moved = update(IDENTIFIERS).where(IDENTIFIERS.c.profile_id == absorbed.key)
                self._connection.execute(moved.values(profile_id=self.key_of(kept)))
        if self._added:
            rows = [
                {"type": kind, "value": value, "profile_id": self.key_of(profile)}
                for (kind, value), profile in self._added
            ]
            self._connection.execute(insert(IDENTIFIERS), rows)

    def _save_memberships(self, gone: Sequence[int]) -> None:
        if gone:
            self._connection.execute(delete(MEMBERSHIPS).where(MEMBERSHIPS.c.profile_id.in_(gone)))
        entered, left = [], []
        for profile in self._profiles.values():
            before = self._audiences_before.get(id(profile), frozenset())
            entered += [{"profile_id": profile.key, "audience_key": key} for key in sorted(profile.audiences - before)]
            left += [{"profile": profile.key, "audience": key} for key in sorted(before - profile.audiences)]
        if left:
            same_profile = MEMBERSHIPS.c.profile_id == bindparam("profile")
            same_audience = MEMBERSHIPS.c.audience_key == bindparam("audience")
            self._connection.execute(delete(MEMBERSHIPS).where(same_profile & same_audience), left)
        if entered:
            self._connection.execute(insert(MEMBERSHIPS), entered)


def read_profiles(connection: Connection, keys: Sequence[int]) -> list[Profile]:
    """The stored profiles with these keys, oldest first, with their identifiers and audiences."""
    rows = connection.execute(_PROFILES, {"keys": keys})
    profiles = {
        row.id: Profile(
            key=row.id, created_at=row.created_at, traits=json.loads(row.traits), updated=_settings(row.updated)
        )
        for row in rows
    }
    for row in connection.execute(_IDENTIFIERS, {"keys": keys}):
        profiles[row.profile_id].identifiers[row.type, row.value] = row.id
    for row in connection.execute(_MEMBERSHIPS, {"keys": keys}):
        profiles[row.profile_id].audiences.add(row.audience_key)
    return list(profiles.values())


def _keys_of(connection: Connection, identifiers: set[Identifier]) -> list[int]:
    by_type: dict[str, list[str]] = {}
    for kind, value in identifiers:
        by_type.setdefault(kind, []).append(value)
    keys: set[int] = set()
    for kind, values in by_type.items():
        keys.update(connection.execute(_OWNERS, {"of_type": kind, "values": values}).scalars())
    return sorted(keys)


def _row(profile: Profile) -> dict[str, Any]:
    return {
        "traits": json.dumps(profile.traits),
        "updated": json.dumps(profile.updated),
        "turn": max((turn for _, turn in profile.updated.values()), default=0),
    }


def _settings(stored: str) -> dict[str, Setting]:
    return {name: (at, turn) for name, (at, turn) in json.loads(stored).items()}


def _within_limits(identifiers: Sequence[Identifier], matched: Sequence[Profile]) -> bool:
    together = {identifier for profile in matched for identifier in profile.identifiers} | set(identifiers)
    counts = Counter(kind for kind, _ in together)
    return all(count <= _LIMITS.get(kind, _LIMIT) for kind, count in counts.items())
