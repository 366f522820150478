"""The profiles that a batch of records concerns: read in a few queries, changed in memory, written in a few more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, bindparam, delete, exists, select, update

from emulator.stackadapt.ingestion.deletions import suppressed_emails
from emulator.stackadapt.profile_counts import change_number
from emulator.stackadapt.rules.records import BOTH, FIRST, MOVE, ParsedRecord, merged, status_after
from emulator.stackadapt.rules.values import LIST
from emulator.stackadapt.tables import (
    EXTERNAL_AUDIENCES,
    EXTERNAL_IDS,
    MEMBERSHIPS,
    PROFILE_INTEGRATIONS,
    PROFILE_LIST_ITEMS,
    PROFILES,
    SHARED_EXTERNAL_IDS,
    SUPPRESSIONS,
)
from emulator.stackadapt.upsert import upsert
from emulator.statements import Prepared, insert_numbered, insert_rows, keys

_LIST_PREFIX = f"{LIST}:"


def _own(table: Table, *conditions: ColumnElement[bool]) -> list[ColumnElement[bool]]:
    """The condition that a row belongs to the advertiser and the provider, and more."""
    return [*(table.c[name] == bindparam(name) for name in ("advertiser_id", "provider")), *conditions]


_PROFILE = (PROFILES.c.id, PROFILES.c.email, PROFILES.c.marketing_status, PROFILES.c.properties)
_OF_ADVERTISER = PROFILES.c.advertiser_id == bindparam("advertiser_id")
_BY_EMAIL = Prepared(select(*_PROFILE).where(_OF_ADVERTISER, PROFILES.c.email.in_(keys())))
_BY_ID = Prepared(select(*_PROFILE).where(_OF_ADVERTISER, PROFILES.c.id.in_(keys())))
_CHANGE = Prepared(
    update(PROFILES)
    .where(PROFILES.c.id == bindparam("profile_id"))
    .values(
        marketing_status=bindparam("marketing_status"),
        properties=bindparam("properties", type_=PROFILES.c.properties.type),
        updated_at=bindparam("updated_at"),
    )
)
_OWNERS = Prepared(select(EXTERNAL_IDS).where(*_own(EXTERNAL_IDS, EXTERNAL_IDS.c.external_id.in_(keys()))))
_SHARING = Prepared(
    select(SHARED_EXTERNAL_IDS).where(
        *_own(SHARED_EXTERNAL_IDS, SHARED_EXTERNAL_IDS.c.external_id.in_(keys()), SHARED_EXTERNAL_IDS.c.has)
    )
)
# Nearly always neither: what is rare is looked for once, and not by key.
_ANY_EXIST = Prepared(
    select(
        exists().where(SUPPRESSIONS.c.advertiser_id == bindparam("advertiser_id")).label("suppressed"),
        exists().where(*_own(SHARED_EXTERNAL_IDS)).label("shared"),
    )
)
_DROP_CLAIM = Prepared(
    delete(SHARED_EXTERNAL_IDS).where(
        *_own(
            SHARED_EXTERNAL_IDS,
            SHARED_EXTERNAL_IDS.c.external_id == bindparam("external_id"),
            SHARED_EXTERNAL_IDS.c.profile_id == bindparam("profile_id"),
        )
    )
)
_AUDIENCES = Prepared(
    select(EXTERNAL_AUDIENCES).where(*_own(EXTERNAL_AUDIENCES, EXTERNAL_AUDIENCES.c.external_id.in_(keys())))
)
_RENAME = Prepared(
    update(EXTERNAL_AUDIENCES)
    .where(EXTERNAL_AUDIENCES.c.id == bindparam("audience_id"))
    .values(name=bindparam("new_name"))
)
_CLEAR_LIST = Prepared(
    delete(PROFILE_LIST_ITEMS).where(
        PROFILE_LIST_ITEMS.c.profile_id == bindparam("profile_id"), PROFILE_LIST_ITEMS.c.key == bindparam("list_key")
    )
)


@dataclass(slots=True, kw_only=True)
class ProfileState:
    """A profile while a batch changes it. `id` is 0 until a new one is written."""

    id: int
    email: str
    marketing_status: str | None
    properties: dict[str, Any]
    external_ids: set[str] = field(default_factory=set)
    lists: dict[str, list[str]] = field(default_factory=dict)
    memberships: dict[str, bool] = field(default_factory=dict)

    def merge(self, properties: Mapping[str, Any]) -> None:
        """Sets the properties of a record and keeps the others."""
        if not self.properties and list not in map(type, properties.values()):
            self.properties = dict(properties)
            return
        lists = {stored for stored in (*self.properties, *properties) if stored.startswith(_LIST_PREFIX)}
        self.properties = merged(self.properties, properties)
        for stored in lists:
            self.lists[stored.removeprefix(_LIST_PREFIX)] = self.properties.get(stored, [])


class ProfileBatch:
    """Profiles of one advertiser, addressed by email or by a provider's external id.

    `shared` decides what happens to an external id that comes with the email of another profile: it moves there, stays
    with the first one, or both have it.
    """

    def __init__(
        self, connection: Connection, *, advertiser_id: str, provider: str, now: int, shared: str = MOVE
    ) -> None:
        self._connection = connection
        self._advertiser_id = advertiser_id
        self._identity = {"advertiser_id": advertiser_id, "provider": provider}
        self._now = now
        self._shared = shared
        self._by_email: dict[str, ProfileState] = {}
        self._by_external_id: dict[str, ProfileState] = {}
        self._changed: dict[int, ProfileState] = {}
        self._suppressed: set[str] = set()
        self._audience_names: dict[str, str] = {}
        # The profiles that came with an external id of another one, and whether they have it too.
        self._claims: dict[str, dict[int, tuple[ProfileState, bool]]] = defaultdict(dict)

    def load(self, records: Iterable[ParsedRecord]) -> None:
        """Reads every profile that the records may change."""
        records = list(records)
        emails = sorted({record.email for record in records if record.email} - self._by_email.keys())
        external_ids = {record.external_id for record in records if record.external_id}
        any_exist = _ANY_EXIST.first(self._connection, **self._identity)
        if any_exist.suppressed:
            self._suppressed |= suppressed_emails(self._connection, self._advertiser_id, emails)
        unread = sorted(external_ids - self._by_external_id.keys())
        found = _OWNERS.matching(self._connection, unread, **self._identity)
        owners = {row.external_id: row.profile_id for row in found}
        if any_exist.shared:
            sharing = _SHARING.matching(self._connection, sorted(set(unread) - owners.keys()), **self._identity)
            # The newest profiles that have external ids whose last profile was deleted.
            owners |= {row.external_id: row.profile_id for row in sorted(sharing, key=lambda row: row.profile_id)}
        self._load_profiles(_BY_EMAIL, emails)
        known = {state.id for state in self._by_email.values()}
        self._load_profiles(_BY_ID, sorted(set(owners.values()) - known))
        by_id = {state.id: state for state in self._by_email.values() if state.id}
        self._by_external_id.update({external_id: by_id[owner] for external_id, owner in owners.items()})

    def suppresses(self, email: str | None) -> bool:
        """Whether the person was deleted permanently."""
        return email in self._suppressed

    def knows(self, external_id: str | None) -> bool:
        """Whether a profile has the external id."""
        return external_id in self._by_external_id

    def owner_of(self, external_id: str | None) -> str | None:
        """The email of the profile that has the external id."""
        owner = self._by_external_id.get(external_id or "")
        return owner.email if owner else None

    def status_of(self, email: str | None) -> str | None:
        """The marketing status of the profile with this email, if there is one."""
        profile = self._by_email.get(email or "")
        return profile.marketing_status if profile else None

    def apply(self, record: ParsedRecord, status: str | None) -> ProfileState:
        """Merges a record into the profile with its email, or with its external id when it has no email.

        `status` is the marketing status that it sets, if any.
        """
        state = self._profile_of(record)
        self._changed[id(state)] = state
        state.marketing_status = status_after(state.marketing_status, status)
        state.merge(record.properties)
        if record.external_id is not None and self._by_external_id.get(record.external_id) is not state:
            self._identify(state, record.external_id)
        if record.audience is not None:
            self._audience_names[record.audience.external_id] = record.audience.name
            state.memberships[record.audience.external_id] = record.audience.entered
        return state

    def _identify(self, state: ProfileState, external_id: str) -> None:
        former = self._by_external_id.get(external_id)
        if former is not None:
            claims, other = self._claims[external_id], state if self._shared == FIRST else former
            claims[id(other)] = (other, self._shared == BOTH)
            if self._shared == FIRST:
                return
            claims.pop(id(state), None)
            former.external_ids.discard(external_id)
        self._by_external_id[external_id] = state
        state.external_ids.add(external_id)

    def flush(self, *, source: str, mapping_id: int) -> None:
        """Writes every change."""
        states = list(self._changed.values())
        self._write_profiles(states)
        rows = [
            {**self._identity, "external_id": external_id, "profile_id": state.id}
            for state in states
            for external_id in state.external_ids
        ]
        upsert(self._connection, EXTERNAL_IDS, rows, update=("profile_id",))
        self._write_claims()
        rows = [{"profile_id": state.id, "source": source, "mapping_id": mapping_id} for state in states]
        upsert(self._connection, PROFILE_INTEGRATIONS, rows)
        self._write_memberships(states)
        self._write_lists(states)
        self._changed.clear()

    def _profile_of(self, record: ParsedRecord) -> ProfileState:
        if record.email is None:
            return self._by_external_id[record.external_id or ""]
        state = self._by_email.get(record.email)
        if state is None:
            state = ProfileState(id=0, email=record.email, marketing_status=None, properties={})
            self._by_email[record.email] = state
        return state

    def _load_profiles(self, query: Prepared, keys: list[Any]) -> None:
        for row in query.matching(self._connection, keys, advertiser_id=self._advertiser_id):
            if row.email not in self._by_email:
                self._by_email[row.email] = ProfileState(**row._asdict())

    def _write_profiles(self, states: list[ProfileState]) -> None:
        new = [state for state in states if not state.id]
        changed = [{"profile_id": state.id, **self._columns(state)} for state in states if state.id]
        _CHANGE.many(self._connection, changed)
        common = {"advertiser_id": self._advertiser_id, "visible_at": self._now}
        rows = [{"email": state.email, **common, **self._columns(state)} for state in new]
        for state, number in zip(new, insert_numbered(self._connection, PROFILES, rows), strict=True):
            state.id = number
        change_number(self._connection, self._advertiser_id, len(new))

    def _write_claims(self) -> None:
        table = SHARED_EXTERNAL_IDS
        for external_id, claims in self._claims.items():
            key = {**self._identity, "external_id": external_id}
            rows = [{**key, "profile_id": state.id, "has": has} for state, has in claims.values()]
            upsert(self._connection, table, rows, update=("has",))
            owner = self._by_external_id[external_id].id
            _DROP_CLAIM.run(self._connection, **key, profile_id=owner)
        self._claims.clear()

    def _columns(self, state: ProfileState) -> dict[str, Any]:
        return {
            "marketing_status": state.marketing_status,
            "properties": state.properties,
            "updated_at": self._now,
        }

    def _write_memberships(self, states: list[ProfileState]) -> None:
        audiences = self._write_audiences()
        rows = [
            {"profile_id": state.id, "audience_id": audiences[external_id], "active": active, "changed_at": self._now}
            for state in states
            for external_id, active in state.memberships.items()
        ]
        # Entering again does not restart a membership.
        upsert(self._connection, MEMBERSHIPS, rows, update=("active", "changed_at"), where_new="active")

    def _write_audiences(self) -> dict[str, int]:
        """The ids of the external audiences of this batch; new ones are inserted and names updated."""
        names = self._audience_names
        found = self._audiences()
        new = [
            {**self._identity, "external_id": external_id, "name": name}
            for external_id, name in names.items()
            if external_id not in found
        ]
        insert_rows(self._connection, EXTERNAL_AUDIENCES, new)
        for external_id, (audience_id, name) in found.items():
            if name != names[external_id]:
                _RENAME.run(self._connection, audience_id=audience_id, new_name=names[external_id])
        stored = self._audiences() if new else found
        return {external_id: audience_id for external_id, (audience_id, _) in stored.items()}

    def _audiences(self) -> dict[str, tuple[int, str]]:
        rows = _AUDIENCES.matching(self._connection, self._audience_names, **self._identity)
        return {row.external_id: (row.id, row.name) for row in rows}

    def _write_lists(self, states: list[ProfileState]) -> None:
        table = PROFILE_LIST_ITEMS
        for state in states:
            for key, items in state.lists.items():
                _CLEAR_LIST.run(self._connection, profile_id=state.id, list_key=key)
                rows = [{"profile_id": state.id, "key": key, "value": item} for item in items]
                upsert(self._connection, table, rows)
