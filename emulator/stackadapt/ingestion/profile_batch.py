"""The profiles that a batch of records is about: read in a few queries, changed in memory, written in a few more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from emulator.stackadapt.rules.marketing import status_after
from emulator.stackadapt.rules.records import AudienceChange, ParsedRecord, merged
from emulator.stackadapt.rules.values import LIST
from emulator.stackadapt.tables import (
    EXTERNAL_AUDIENCES,
    EXTERNAL_IDS,
    MEMBERSHIPS,
    PROFILE_INTEGRATIONS,
    PROFILE_LIST_ITEMS,
    PROFILES,
    SUPPRESSIONS,
)
from emulator.stackadapt.upsert import upsert
from emulator.store import portions

_LIST_PREFIX = f"{LIST}:"


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
        """Sets what a record brings and keeps the rest."""
        lists = {stored for stored in (*self.properties, *properties) if stored.startswith(_LIST_PREFIX)}
        self.properties = merged(self.properties, properties)
        for stored in lists:
            self.lists[stored.removeprefix(_LIST_PREFIX)] = self.properties.get(stored, [])


class ProfileBatch:
    """Profiles of one advertiser, addressed by email or by a provider's external id."""

    def __init__(self, connection: Connection, *, advertiser_id: str, provider: str, now: int) -> None:
        self._connection = connection
        self._advertiser_id = advertiser_id
        self._provider = provider
        self._now = now
        self._by_email: dict[str, ProfileState] = {}
        self._by_external_id: dict[str, ProfileState] = {}
        self._changed: dict[int, ProfileState] = {}
        self._suppressed: set[str] = set()
        self._audience_names: dict[str, str] = {}

    def load(self, readings: Iterable[ParsedRecord]) -> None:
        """Reads everything that the readings may touch."""
        readings = list(readings)
        emails = {reading.email for reading in readings if reading.email} - self._by_email.keys()
        external_ids = {reading.external_id for reading in readings if reading.external_id}
        unknown = sorted(external_ids - self._by_external_id.keys())
        self._load_suppressed(sorted(emails))
        owners = dict(self._owners(unknown))
        self._load_profiles(sorted(emails), sorted(set(owners.values())))
        by_id = {state.id: state for state in self._by_email.values() if state.id}
        self._by_external_id.update({external_id: by_id[owner] for external_id, owner in owners.items()})

    def suppresses(self, email: str | None) -> bool:
        """Whether the person was deleted for good."""
        return email in self._suppressed

    def knows(self, external_id: str | None) -> bool:
        """Whether a profile has the external id."""
        return external_id in self._by_external_id

    def apply(self, reading: ParsedRecord, status: str | None) -> ProfileState:
        """Merges a record into the profile of its email, or of its external id when it has no email.

        `status` is the marketing status that it brings, if any. An external id that another profile has moves to this
        one.
        """
        state = self._profile_of(reading)
        self._changed[id(state)] = state
        state.marketing_status = status_after(state.marketing_status, status)
        state.merge(reading.properties)
        if reading.external_id is not None and self._by_external_id.get(reading.external_id) is not state:
            former = self._by_external_id.get(reading.external_id)
            if former is not None:
                former.external_ids.discard(reading.external_id)
            self._by_external_id[reading.external_id] = state
            state.external_ids.add(reading.external_id)
        if reading.audience is not None:
            self._change_audience(state, reading.audience)
        return state

    def flush(self, *, source: str, mapping_id: int) -> None:
        """Writes every change."""
        states = list(self._changed.values())
        self._write_profiles(states)
        self._write_external_ids(states)
        self._write_integrations(states, source, mapping_id)
        self._write_memberships(states)
        self._write_lists(states)
        self._changed.clear()

    def _profile_of(self, reading: ParsedRecord) -> ProfileState:
        if reading.email is None:
            return self._by_external_id[reading.external_id or ""]
        state = self._by_email.get(reading.email)
        if state is None:
            state = ProfileState(id=0, email=reading.email, marketing_status=None, properties={})
            self._by_email[reading.email] = state
        return state

    def _change_audience(self, state: ProfileState, change: AudienceChange) -> None:
        self._audience_names[change.external_id] = change.name
        state.memberships[change.external_id] = change.entered

    def _load_suppressed(self, emails: list[str]) -> None:
        for part in portions(emails):
            query = select(SUPPRESSIONS.c.email).where(
                SUPPRESSIONS.c.advertiser_id == self._advertiser_id, SUPPRESSIONS.c.email.in_(part)
            )
            self._suppressed.update(self._connection.scalars(query))

    def _owners(self, external_ids: list[str]) -> Iterator[tuple[str, int]]:
        for part in portions(external_ids):
            query = select(EXTERNAL_IDS.c.external_id, EXTERNAL_IDS.c.profile_id).where(
                EXTERNAL_IDS.c.advertiser_id == self._advertiser_id,
                EXTERNAL_IDS.c.provider == self._provider,
                EXTERNAL_IDS.c.external_id.in_(part),
            )
            for row in self._connection.execute(query):
                yield row.external_id, row.profile_id

    def _load_profiles(self, emails: list[str], ids: list[int]) -> None:
        for part in portions(emails):
            self._add(PROFILES.c.advertiser_id == self._advertiser_id, PROFILES.c.email.in_(part))
        for part_of_ids in portions(ids):
            self._add(PROFILES.c.id.in_(part_of_ids))

    def _add(self, *conditions: Any) -> None:
        query = select(PROFILES.c.id, PROFILES.c.email, PROFILES.c.marketing_status, PROFILES.c.properties)
        rows: Iterable[Row[Any]] = self._connection.execute(query.where(*conditions))
        for row in rows:
            if row.email not in self._by_email:
                self._by_email[row.email] = ProfileState(**row._mapping)

    def _write_profiles(self, states: list[ProfileState]) -> None:
        new = {state.email: state for state in states if not state.id}
        common = {"advertiser_id": self._advertiser_id, "visible_at": self._now, "updated_at": self._now}
        if len(new) < len(states):
            statement = update(PROFILES).where(PROFILES.c.id == bindparam("profile_id"))
            rows = [{"profile_id": state.id, **self._columns(state)} for state in states if state.id]
            self._connection.execute(statement, [{**row, "updated_at": self._now} for row in rows])
        if new:
            self._connection.execute(
                insert(PROFILES), [{"email": state.email, **common, **self._columns(state)} for state in new.values()]
            )
        for part in portions(list(new)):
            query = select(PROFILES.c.id, PROFILES.c.email).where(
                PROFILES.c.advertiser_id == self._advertiser_id, PROFILES.c.email.in_(part)
            )
            for row in self._connection.execute(query):
                new[row.email].id = row.id

    @staticmethod
    def _columns(state: ProfileState) -> dict[str, Any]:
        return {"marketing_status": state.marketing_status, "properties": state.properties}

    def _write_external_ids(self, states: list[ProfileState]) -> None:
        identity = {"advertiser_id": self._advertiser_id, "provider": self._provider}
        rows = [
            {**identity, "external_id": external_id, "profile_id": state.id}
            for state in states
            for external_id in state.external_ids
        ]
        upsert(self._connection, EXTERNAL_IDS, rows, update=("profile_id",))

    def _write_integrations(self, states: list[ProfileState], source: str, mapping_id: int) -> None:
        rows = [{"profile_id": state.id, "source": source, "mapping_id": mapping_id} for state in states]
        upsert(self._connection, PROFILE_INTEGRATIONS, rows, update=())

    def _write_memberships(self, states: list[ProfileState]) -> None:
        audiences = self._write_audiences()
        rows = [
            {"profile_id": state.id, "audience_id": audiences[external_id], "active": active, "changed_at": self._now}
            for state in states
            for external_id, active in state.memberships.items()
        ]
        # Entering again does not begin a membership anew.
        upsert(self._connection, MEMBERSHIPS, rows, update=("active", "changed_at"), where_new="active")

    def _write_audiences(self) -> dict[str, int]:
        """The ids of the external audiences of this batch, new ones written, names brought up to date."""
        found = self._audiences()
        identity = {"advertiser_id": self._advertiser_id, "provider": self._provider}
        new = [
            {**identity, "external_id": external_id, "name": name}
            for external_id, name in self._audience_names.items()
            if external_id not in found
        ]
        if new:
            self._connection.execute(insert(EXTERNAL_AUDIENCES), new)
        for external_id, (audience_id, name) in found.items():
            if name != self._audience_names[external_id]:
                change = update(EXTERNAL_AUDIENCES).where(EXTERNAL_AUDIENCES.c.id == audience_id)
                self._connection.execute(change.values(name=self._audience_names[external_id]))
        known = self._audiences() if new else found
        return {external_id: audience_id for external_id, (audience_id, _) in known.items()}

    def _audiences(self) -> dict[str, tuple[int, str]]:
        found = {}
        for part in portions(list(self._audience_names)):
            query = select(EXTERNAL_AUDIENCES).where(
                EXTERNAL_AUDIENCES.c.advertiser_id == self._advertiser_id,
                EXTERNAL_AUDIENCES.c.provider == self._provider,
                EXTERNAL_AUDIENCES.c.external_id.in_(part),
            )
            found.update({row.external_id: (row.id, row.name) for row in self._connection.execute(query)})
        return found

    def _write_lists(self, states: list[ProfileState]) -> None:
        for state in states:
            for key, items in state.lists.items():
                self._connection.execute(
                    delete(PROFILE_LIST_ITEMS).where(
                        PROFILE_LIST_ITEMS.c.profile_id == state.id, PROFILE_LIST_ITEMS.c.key == key
                    )
                )
                rows = [{"profile_id": state.id, "key": key, "value": item} for item in items]
                upsert(self._connection, PROFILE_LIST_ITEMS, rows, update=())
