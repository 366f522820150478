"""The segments of a sandbox: named rules over the profiles of one advertiser.

The service has no public operation that creates one; only `ProfileFilters.segmentId` refers to them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select, update

from emulator.errors import NotFound, unknown
from emulator.sandbox import Sandbox
from emulator.stackadapt.advertisers import Advertisers
from emulator.stackadapt.ingestion.declared_properties import declared_types
from emulator.stackadapt.rules.segment_rules import canonical_field, parse_rule
from emulator.stackadapt.segments.sql import CompiledRule, compile_rule
from emulator.stackadapt.segments.unknown_values import KnownValues
from emulator.stackadapt.tables import PROFILES, SEGMENTS
from emulator.statements import insert_row
from emulator.stored_values import StoredValues
from emulator.timestamps import to_millis

MEMBERS_SHOWN = 1_000
MEMBERS_PREVIEWED = 10
VALUES_SHOWN = 100

JsonObject = dict[str, Any]
JsonObjects = list[JsonObject]
Transaction = Callable[[], AbstractContextManager[Connection]]


def compiled_segment(connection: Connection, row: Row[Any], now: datetime) -> CompiledRule:
    """The rule of a stored segment, compiled for the time `now`."""
    return compile_rule(parse_rule(row.rule), declared_types(connection, row.advertiser_id), now)


def segment_size(connection: Connection, row: Row[Any], compiled: CompiledRule) -> int:
    """How many profiles are in a segment."""
    return _size(connection, row.advertiser_id, compiled)


def _size(connection: Connection, advertiser_id: str, compiled: CompiledRule) -> int:
    query = select(func.count()).where(PROFILES.c.advertiser_id == advertiser_id, compiled.condition)
    return connection.scalar(query) or 0


class Segments:
    """The segments of a sandbox. `transaction` opens a transaction in which every due job has been applied."""

    def __init__(self, sandbox: Sandbox, transaction: Transaction) -> None:
        self._sandbox = sandbox
        self._transaction = transaction

    def create(self, advertiser_id: str, name: str, rule: Any) -> JsonObject:
        """Creates a segment and returns it as `get` does. Raises InputError for a bad rule or unknown advertiser."""
        parse_rule(rule)
        now = self._sandbox.clock.now()
        with self._transaction() as connection:
            self._check_advertiser(connection, advertiser_id)
            row = {"advertiser_id": advertiser_id, "name": name, "rule": rule, "created_at": to_millis(now)}
            number = insert_row(connection, SEGMENTS, **row)
        return self.get(str(number))

    def preview(self, advertiser_id: str, rule: Any, *, limit: int = MEMBERS_PREVIEWED, offset: int = 0) -> JsonObject:
        """What a segment with this rule would have, without creating it: `size`, the first `members`, `warnings` and
        `unknownValues`. Raises InputError for a bad rule or unknown advertiser.
        """
        parsed = parse_rule(rule)
        with self._transaction() as connection:
            self._check_advertiser(connection, advertiser_id)
            compiled = compile_rule(parsed, declared_types(connection, advertiser_id), self._sandbox.clock.now())
            emails, size = _members(connection, advertiser_id, compiled, limit=limit, offset=offset)
            return {"size": size, **self._judged(connection, advertiser_id, rule, compiled), "members": emails}

    def values(self, advertiser_id: str, field: str, *, limit: int = VALUES_SHOWN) -> Sequence[str]:
        """Values that a rule about a field may compare, sorted, at most `limit`. Raises InputError for an unknown
        advertiser.
        """
        with self._transaction() as connection:
            self._check_advertiser(connection, advertiser_id)
            known = KnownValues(connection, self._sandbox.workspace, advertiser_id)
            found = known.values_of(canonical_field(field), declared_types(connection, advertiser_id))
            return sorted(found)[:limit]

    def update(self, segment_id: str, *, name: str | None = None, rule: Any = None) -> JsonObject:
        """Changes what is given and returns the segment as `get` does. Raises NotFound, InputError for a bad rule."""
        changes = {"name": name} if name is not None else {}
        if rule is not None:
            parse_rule(rule)
            changes["rule"] = rule
        with self._transaction() as connection:
            row = _row(connection, segment_id)
            if changes:
                connection.execute(update(SEGMENTS).where(SEGMENTS.c.id == row.id).values(changes))
        return self.get(segment_id)

    def list(self) -> JsonObjects:
        """Every segment with its size, oldest first, without members."""
        with self._transaction() as connection:
            rows = connection.execute(select(SEGMENTS).order_by(SEGMENTS.c.id)).all()
            return [self._listed(connection, row) for row in rows]

    def get(self, segment_id: str, *, members: bool = True, limit: int = MEMBERS_SHOWN, offset: int = 0) -> JsonObject:
        """A segment: `id`, `advertiserId`, `name`, `rule`, `size`, `warnings`, `unknownValues` and `members`, which are
        sorted emails; of a damaged one what could be read, with `notShown`. Raises NotFound.
        """
        with self._transaction() as connection:
            row = _row(connection, segment_id)
            if not members:
                return self._listed(connection, row)

            def complete() -> JsonObject:
                compiled = self._compiled(connection, row)
                emails, size = _members(connection, row.advertiser_id, compiled, limit=limit, offset=offset)
                return {**self._segment(connection, row, compiled, size), "members": emails}

            return _readable(connection, complete, {**_base(row), "members": []})

    def has_member(self, segment_id: str, email: str) -> bool:
        """Whether the profile with this email is in a segment. Raises NotFound."""
        with self._transaction() as connection:
            row = _row(connection, segment_id)
            own = (PROFILES.c.advertiser_id == row.advertiser_id, PROFILES.c.email == email)
            found = select(PROFILES.c.id).where(*own, self._compiled(connection, row).condition)
            return connection.scalar(found) is not None

    def delete(self, segment_id: str) -> None:
        """Deletes a segment. Raises NotFound."""
        with self._transaction() as connection:
            row = _row(connection, segment_id)
            connection.execute(delete(SEGMENTS).where(SEGMENTS.c.id == row.id))

    def _listed(self, connection: Connection, row: Row[Any]) -> JsonObject:
        """A segment without members; one that is damaged, or whose profiles are, with what could be read of it."""

        def complete() -> JsonObject:
            compiled = self._compiled(connection, row)
            return self._segment(connection, row, compiled, segment_size(connection, row, compiled))

        return _readable(connection, complete, _base(row))

    def _segment(self, connection: Connection, row: Row[Any], compiled: CompiledRule, size: int) -> JsonObject:
        return {**_base(row), "size": size, **self._judged(connection, row.advertiser_id, row.rule, compiled)}

    def _judged(self, connection: Connection, advertiser_id: str, document: Any, compiled: CompiledRule) -> JsonObject:
        """What is wrong with the values of a rule."""
        rule = parse_rule(document)
        known = KnownValues(connection, self._sandbox.workspace, advertiser_id)
        unknown_values = known.unknown_in(rule)
        similar = known.similar_in(rule, declared_types(connection, advertiser_id))
        return {
            "warnings": [*compiled.warnings, *(each.message for each in unknown_values), *similar, *known.skipped()],
            "unknownValues": [each.as_dict() for each in unknown_values],
        }

    def _compiled(self, connection: Connection, row: Row[Any]) -> CompiledRule:
        return compiled_segment(connection, row, self._sandbox.clock.now())

    def _check_advertiser(self, connection: Connection, advertiser_id: str) -> None:
        known = [advertiser.id for advertiser in Advertisers(connection, self._sandbox.workspace).all()]
        if advertiser_id not in known:
            raise unknown("advertiser", advertiser_id, known, where="advertiserId")


def _readable(connection: Connection, complete: Callable[[], JsonObject], otherwise: JsonObject) -> JsonObject:
    """The complete segment; where that fails, what can be shown, with a note."""
    stored = StoredValues()

    def attempt() -> JsonObject:
        # An error in a statement would end the transaction.
        with connection.begin_nested():
            return complete()

    return stored.shown(stored.read("segment", attempt, otherwise))


def _base(row: Row[Any]) -> JsonObject:
    """What can be shown of a segment whatever its rule is."""
    return {
        "id": str(row.id),
        "advertiserId": row.advertiser_id,
        "name": row.name,
        "rule": row.rule if isinstance(row.rule, dict) else None,
        "size": 0,
        "warnings": [],
        "unknownValues": [],
    }


def _members(
    connection: Connection, advertiser_id: str, compiled: CompiledRule, *, limit: int, offset: int
) -> tuple[Sequence[str], int]:
    """A page of the sorted emails in a segment, and how many there are, by evaluating the rule once."""
    own = (PROFILES.c.advertiser_id == advertiser_id, compiled.condition)
    query = select(PROFILES.c.email, func.count().over()).where(*own).order_by(PROFILES.c.email)
    found = connection.execute(query.limit(limit).offset(offset)).all()
    return [each[0] for each in found], found[0][1] if found else _size(connection, advertiser_id, compiled)


def _row(connection: Connection, segment_id: str) -> Row[Any]:
    rows = {str(row.id): row for row in connection.execute(select(SEGMENTS).order_by(SEGMENTS.c.id))}
    if segment_id not in rows:
        raise unknown("segment", segment_id, rows, where="segmentId", error=NotFound)
    return rows[segment_id]
