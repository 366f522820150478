"""What the real service does not show: whole profiles, every record with its outcome, rejections, counts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, bindparam, func, or_, select, true

from emulator.errors import unknown
from emulator.json_text import compact
from emulator.stackadapt.ingestion.declared_properties import UPLOADED
from emulator.stackadapt.ingestion.deletions import deletions
from emulator.stackadapt.ingestion.jobs import last_due
from emulator.stackadapt.ingestion.mapping_versions import MappingHistory
from emulator.stackadapt.ingestion.uploads import upload_by_id, uploads
from emulator.stackadapt.profiles.details import audiences_of, distinct_sources, external_ids_of, integrations_of
from emulator.stackadapt.profiles.record_changes import changes_of
from emulator.stackadapt.rules.emails import normalise
from emulator.stackadapt.rules.outcomes import OUTCOMES, PENDING, REASONS, REJECTED, SUPPRESSED, WAITS_FOR_PROFILE
from emulator.stackadapt.rules.providers import provider_key
from emulator.stackadapt.rules.values import plain_properties
from emulator.stackadapt.tables import BATCHES, HELD_EXTERNAL_IDS, PROFILES, RECORDS, RECORDS_OF_BATCHES
from emulator.statements import Prepared
from emulator.stored_values import StoredValues
from emulator.text_search import contains_text
from emulator.timestamps import iso_of_millis

PAGE = 100
_MOST_OF_HISTORY = 10_000
# The outcomes that a record keeps although it changed no profile.
REFUSED = (REJECTED, SUPPRESSED)

JsonObject = dict[str, Any]
Transaction = Callable[[], AbstractContextManager[Connection]]

_RECORDS = select(RECORDS, *(column for column in BATCHES.c if column.name != "id")).select_from(RECORDS_OF_BATCHES)


class ProfilePage(NamedTuple):
    """A page of profiles, and the positions `after` and `before` which the others are; None where there is none."""

    profiles: list[JsonObject]
    next: int | None
    previous: int | None


class ProfileQueries:
    """Reads a sandbox. `transaction` opens a transaction in which every due job has been applied."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def profiles(
        self,
        advertiser_id: str | None = None,
        email: str | None = None,
        external_id: str | None = None,
        limit: int = PAGE,
        offset: int = 0,
    ) -> list[JsonObject]:
        """Profiles, oldest first: `advertiserId`, `email`, `marketingStatus`, `externalIds`, `properties`, `audiences`
        (`id`, `name`, `provider`, `since`), `visibleAt`, `sources`.
        """
        filters = {"advertiser_id": advertiser_id, "email": email and normalise(email), "external_id": external_id}
        given = {name: value for name, value in filters.items() if value is not None}
        query = _profiles_with(tuple(given))
        with self._transaction() as connection:
            return _profiles(connection, query.rows(connection, **given, limit=limit, offset=offset))

    def profile_page(
        self,
        *,
        after: int | None = None,
        before: int | None = None,
        advertiser_id: str | None = None,
        email: str | None = None,
        external_id: str | None = None,
        limit: int = PAGE,
        offset: int = 0,
    ) -> ProfilePage:
        """The first profiles after a position, or the last ones before it, oldest first.

        However many profiles precede it, a page takes the same time.
        """
        filters = {"advertiser_id": advertiser_id, "email": email and normalise(email), "external_id": external_id}
        given = {name: value for name, value in filters.items() if value is not None}
        back = before is not None
        at = {"before": before} if back else {"after": after or 0}
        query = _profiles_with((*given, *at))
        with self._transaction() as connection:
            rows = query.rows(connection, **given, **at, limit=limit + 1, offset=offset)
            beyond, rows = len(rows) > limit, rows[:limit]
            if back:
                rows = rows[::-1]

            def one_at(**position: int) -> bool:
                return bool(
                    _profiles_with((*given, *position)).rows(connection, **given, **position, limit=1, offset=0)
                )

            if not rows:
                return ProfilePage([], None, None)
            following = one_at(after=rows[-1].id) if back else beyond
            preceding = beyond if back else one_at(before=rows[0].id)
            page = _profiles(connection, rows)
        return ProfilePage(page, rows[-1].id if following else None, rows[0].id if preceding else None)

    def history(self, advertiser_id: str, email: str, *, limit: int = PAGE, offset: int = 0) -> list[JsonObject]:
        """The records of a profile, oldest first, with what each changed (`profiles.record_changes`)."""
        return [*changes_of(self._records_of(advertiser_id, email))][offset : offset + limit]

    def _records_of(self, advertiser_id: str, email: str) -> list[JsonObject]:
        query = _RECORDS.where(BATCHES.c.advertiser_id == advertiser_id, RECORDS.c.email == normalise(email))
        with self._transaction() as connection:
            rows = connection.execute(query.order_by(RECORDS.c.id).limit(_MOST_OF_HISTORY)).all()
            history = _history(connection, rows)
            return [_record(row, history) for row in rows]

    def records(
        self,
        outcome: str | None = None,
        request_id: str | None = None,
        email: str | None = None,
        external_id: str | None = None,
        mentions: Sequence[str] = (),
        limit: int = PAGE,
        offset: int = 0,
    ) -> list[JsonObject]:
        """Accepted records with their outcome, in arrival order. Raises InputError for an unknown outcome.

        `external_id` finds records that have the id as a value, under any key: a mapping may not have named it yet.
        `mentions` leaves out records that have none of these names in any way; others may be left in.
        """
        if outcome is not None and outcome not in OUTCOMES:
            raise unknown("outcome", outcome, OUTCOMES, where="outcome")
        conditions = _equal(
            (RECORDS.c.outcome, outcome),
            (BATCHES.c.request_id, request_id),
            (RECORDS.c.email, email and normalise(email)),
        )
        if external_id is not None:
            conditions.append(_has_value(external_id))
        if mentions:
            conditions.append(_may_mention(mentions))
        query = _RECORDS.where(*conditions).order_by(RECORDS.c.id).limit(limit).offset(offset)
        with self._transaction() as connection:
            rows = connection.execute(query).all()
            history = _history(connection, rows)
            return [_record(row, history) for row in rows]

    def rejections(
        self,
        advertiser_id: str | None = None,
        reason: str | None = None,
        pending: bool = False,
        email: str | None = None,
        limit: int = PAGE,
        offset: int = 0,
    ) -> list[JsonObject]:
        """Rejected and suppressed records in arrival order: `outcome`, `reason`, `message`, `record`, `requestId` (a
        trace id), `at`, `advertiserId`, `index`, `waitsFor`, `warnings`.

        `email` is that of the record, or any value of it. With `pending`, or with the reason code of waiting records,
        those too; their `at` is None. Raises InputError for
        an unknown reason code.
        """
        if reason is not None and reason not in REASONS:
            raise unknown("reason code", reason, REASONS, where="reason")
        outcomes = (*REFUSED, PENDING) if pending or reason == WAITS_FOR_PROFILE else REFUSED
        conditions = _equal((BATCHES.c.advertiser_id, advertiser_id), (RECORDS.c.reason, reason))
        if email is not None:
            conditions.append(or_(RECORDS.c.email == normalise(email), _has_value(email)))
        query = (
            _RECORDS.where(RECORDS.c.outcome.in_(outcomes), *conditions)
            .order_by(RECORDS.c.id)
            .limit(limit)
            .offset(offset)
        )
        with self._transaction() as connection:
            rows = connection.execute(query).all()
            history = _history(connection, rows)
            return [_rejection(row, history) for row in rows]

    def uploads(self, advertiser_id: str | None = None, limit: int = PAGE, offset: int = 0) -> list[JsonObject]:
        """The uploads, with the reason why a file could not be read (`ingestion.uploads`)."""
        with self._transaction() as connection:
            return uploads(connection, advertiser_id=advertiser_id, limit=limit, offset=offset)

    def upload(self, upload_id: str) -> JsonObject:
        """One upload with its columns (`ingestion.uploads`). Raises NotFound."""
        with self._transaction() as connection:
            return upload_by_id(connection, upload_id)

    def deletions(
        self,
        advertiser_id: str | None = None,
        email: str | None = None,
        external_id: str | None = None,
        limit: int = PAGE,
        offset: int = 0,
    ) -> list[JsonObject]:
        """What each id or email of the deletions applied so far led to (`ingestion.deletions`)."""
        with self._transaction() as connection:
            return deletions(
                connection,
                advertiser_id=advertiser_id,
                email=email,
                external_id=external_id,
                limit=limit,
                offset=offset,
            )

    def counts(self) -> JsonObject:
        """`records` by outcome, `rejections` (suppressed records too) and `waiting` by reason, number of `profiles`;
        `lastDueAt` is when the last of what is queued is due.
        """
        by_reason = _counted(RECORDS.c.reason).order_by(RECORDS.c.reason)
        with self._transaction() as connection:
            return {
                "records": dict.fromkeys(OUTCOMES, 0) | _numbers(connection, _counted(RECORDS.c.outcome)),
                "rejections": _numbers(connection, by_reason.where(RECORDS.c.outcome.in_(REFUSED))),
                "waiting": _numbers(connection, by_reason.where(RECORDS.c.outcome == PENDING)),
                "profiles": connection.scalar(select(func.count()).select_from(PROFILES)) or 0,
                "lastDueAt": None if (last := last_due(connection)) is None else iso_of_millis(last),
            }


def _counted(column: ColumnElement[Any]) -> Any:
    return select(column, func.count()).group_by(column)


def _numbers(connection: Connection, counted: Any) -> dict[str, int]:
    return {row[0]: row[1] for row in connection.execute(counted)}


def _equal(*pairs: tuple[ColumnElement[Any], str | None]) -> list[ColumnElement[bool]]:
    """Conditions for the values that are given."""
    return [column == value for column, value in pairs if value is not None]


def _has_value(external_id: str) -> ColumnElement[bool]:
    """The condition that a record has a value: a string, or an integer of the same digits."""
    # In both spellings that `compact` has for a character beyond ASCII.
    texts = [*dict.fromkeys((f":{compact(external_id)}", f":{json.dumps(external_id)}"))]
    if external_id.isascii() and external_id.isdigit():
        texts += [f":{external_id},", f":{external_id}}}"]
    return or_(*(contains_text(RECORDS.c.raw, text) for text in texts))


def _may_mention(names: Sequence[str]) -> ColumnElement[bool]:
    """The condition that a record has one of the names in any case; true where a name is not written as it is."""
    if not all(name.isascii() and json.dumps(name)[1:-1] == name for name in names):
        return true()
    text = func.lower(RECORDS.c.raw)
    return or_(RECORDS.c.email.in_(names), *(contains_text(text, name.lower()) for name in names))


_HELD = HELD_EXTERNAL_IDS.subquery()
_PROFILE_FILTERS: Mapping[str, ColumnElement[bool]] = {
    "advertiser_id": PROFILES.c.advertiser_id == bindparam("advertiser_id"),
    "email": PROFILES.c.email == bindparam("email"),
    "after": PROFILES.c.id > bindparam("after"),
    "before": PROFILES.c.id < bindparam("before"),
    "external_id": PROFILES.c.id.in_(select(_HELD.c.profile_id).where(_HELD.c.external_id == bindparam("external_id"))),
}


@cache
def _profiles_with(filters: tuple[str, ...]) -> Prepared:
    conditions = [_PROFILE_FILTERS[name] for name in filters]
    order = PROFILES.c.id.desc() if "before" in filters else PROFILES.c.id
    every = select(PROFILES).where(*conditions).order_by(order)
    return Prepared(every.limit(bindparam("limit")).offset(bindparam("offset")))


def _profiles(connection: Connection, rows: Sequence[Any]) -> list[JsonObject]:
    ids = [row.id for row in rows]
    external_ids, audiences = external_ids_of(connection, ids), audiences_of(connection, ids)
    integrations = integrations_of(connection, ids)
    return [_profile(row, external_ids[row.id], audiences[row.id], integrations[row.id]) for row in rows]


def _profile(
    row: Any, external_ids: Sequence[Any], audiences: Sequence[Any], integrations: Sequence[JsonObject]
) -> JsonObject:
    stored = StoredValues()
    item = {
        "advertiserId": row.advertiser_id,
        "email": row.email,
        "marketingStatus": row.marketing_status,
        "externalIds": sorted(each.external_id for each in external_ids),
        "properties": stored.read("properties", lambda: plain_properties(row.properties), {}),
        "audiences": [
            {
                "id": each.external_id,
                "name": each.name,
                "provider": each.provider,
                "since": stored.time("audiences.since", each.changed_at),
            }
            for each in audiences
        ],
        "visibleAt": stored.time("visibleAt", row.visible_at),
        "sources": distinct_sources(integrations),
    }
    return stored.shown(item)


def _history(connection: Connection, rows: Sequence[Row[Any]]) -> MappingHistory:
    """What completes the warnings of records by what is known about mappings now."""
    return MappingHistory(connection, needed=any(row.warnings for row in rows))


def _rejection(row: Row[Any], history: MappingHistory) -> JsonObject:
    stored = StoredValues()
    item = {
        "outcome": row.outcome,
        "reason": row.reason,
        "message": stored.read("message", lambda: _message(row.reason), ""),
        **_common(stored, row, history),
    }
    return stored.shown(item)


def _record(row: Row[Any], history: MappingHistory) -> JsonObject:
    stored = StoredValues()
    item = {
        "outcome": row.outcome,
        "reason": row.reason,
        "message": REASONS.get(row.reason),
        "provider": row.provider,
        "email": row.email,
        "syncId": row.sync_id,
        "replay": row.replay,
        "receivedAt": stored.time("receivedAt", row.received_at),
        "dueAt": stored.time("dueAt", row.due_at),
        **_common(stored, row, history),
    }
    return stored.shown(item)


def _common(stored: StoredValues, row: Row[Any], history: MappingHistory) -> JsonObject:
    """What a record and a rejection both show."""
    return {
        "record": stored.object("record", row.raw),
        "requestId": row.request_id or "",
        "index": row.position,
        "advertiserId": row.advertiser_id or "",
        "waitsFor": row.waits_for,
        "warnings": stored.read("warnings", lambda: _completed(row, history), []),
        "at": stored.time_or_none("at", row.settled_at),
    }


def _message(reason: str) -> str:
    if reason not in REASONS:
        raise ValueError(f"unknown reason code {reason!r}")
    return REASONS[reason]


def _completed(row: Row[Any], history: MappingHistory) -> list[JsonObject]:
    own = row.provider == provider_key(UPLOADED)
    return history.completed(row.warnings or [], (row.advertiser_id, row.provider), own_mapping=own)
