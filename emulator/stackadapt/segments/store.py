"""StackAdapt's segments: a named rule over the profiles of one advertiser.

The service has no public operation that makes one; only `ProfileFilters.segmentId` refers to them.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from emulator.errors import InputError, NotFound, nearest
from emulator.sandbox import Sandbox
from emulator.stackadapt.advertisers import Advertisers
from emulator.stackadapt.ingestion.declared_properties import declared_types
from emulator.stackadapt.rules.segment_rules import parse_rule
from emulator.stackadapt.segments.sql import CompiledRule, compile_rule
from emulator.stackadapt.tables import PROFILES, SEGMENTS
from emulator.timestamps import to_millis

MEMBERS_SHOWN = 1_000

Shown = dict[str, Any]
CursorOrder = list[Shown]
Settled = Callable[[], AbstractContextManager[Connection]]


class Segments:
    """The segments of a sandbox. `settled` opens a transaction in which everything due has been settled."""

    def __init__(self, sandbox: Sandbox, settled: Settled) -> None:
        self._sandbox = sandbox
        self._settled = settled

    def create(self, advertiser_id: str, name: str, rule: Any) -> Shown:
        """Makes a segment and returns it as `get` does. Raises InputError for a bad rule or an unknown advertiser."""
        parse_rule(rule)
        with self._settled() as connection:
            self._check_advertiser(connection, advertiser_id)
            key = connection.execute(
                insert(SEGMENTS).values(
                    advertiser_id=advertiser_id,
                    name=name,
                    rule=rule,
                    created_at=to_millis(self._sandbox.clock.now()),
                )
            ).inserted_primary_key
        return self.get(str(key[0] if key else ""))

    def update(self, segment_id: str, *, name: str | None = None, rule: Any = None) -> Shown:
        """Changes what is given and returns the segment as `get` does. Raises NotFound, InputError for a bad rule."""
        changes = {"name": name} if name is not None else {}
        if rule is not None:
            parse_rule(rule)
            changes["rule"] = rule
        with self._settled() as connection:
            row = self._row(connection, segment_id)
            if changes:
                connection.execute(update(SEGMENTS).where(SEGMENTS.c.id == row.id).values(changes))
        return self.get(segment_id)

    def list(self) -> CursorOrder:
        """Every segment with its size, oldest first, without members."""
        with self._settled() as connection:
            rows = connection.execute(select(SEGMENTS).order_by(SEGMENTS.c.id)).all()
            return [self._shown(connection, row) for row in rows]

    def get(self, segment_id: str, *, members: bool = True, limit: int = MEMBERS_SHOWN, offset: int = 0) -> Shown:
        """One segment: `id`, `advertiserId`, `name`, `rule`, `size`, `warnings` and, sorted, the emails of `members`.

        Raises NotFound.
        """
        with self._settled() as connection:
            row = self._row(connection, segment_id)
            shown = self._shown(connection, row)
            if members:
                compiled = self._compiled(connection, row)
                query = select(PROFILES.c.email).where(
                    PROFILES.c.advertiser_id == row.advertiser_id, compiled.condition
                )
                page = query.order_by(PROFILES.c.email).limit(limit).offset(offset)
                shown["members"] = [*connection.scalars(page)]
            return shown

    def delete(self, segment_id: str) -> None:
        """Removes a segment. Raises NotFound."""
        with self._settled() as connection:
            row = self._row(connection, segment_id)
            connection.execute(delete(SEGMENTS).where(SEGMENTS.c.id == row.id))

    @staticmethod
    def _row(connection: Connection, segment_id: str) -> Row[Any]:
        rows = {str(row.id): row for row in connection.execute(select(SEGMENTS).order_by(SEGMENTS.c.id))}
        if segment_id not in rows:
            known = ", ".join(rows) or "none was made yet"
            raise NotFound("there is no such segment", where="segmentId", found=segment_id, allowed=known)
        return rows[segment_id]

    def _compiled(self, connection: Connection, row: Row[Any]) -> CompiledRule:
        declared = declared_types(connection, row.advertiser_id)
        return compile_rule(parse_rule(row.rule), declared, self._sandbox.clock.now())

    def _check_advertiser(self, connection: Connection, advertiser_id: str) -> None:
        known = [advertiser.id for advertiser in Advertisers(connection, self._sandbox.workspace).all()]
        if advertiser_id not in known:
            raise InputError(
                "this workspace has no such advertiser",
                where="advertiserId",
                found=advertiser_id,
                allowed=", ".join(known),
                hint=nearest(advertiser_id, known),
            )

    def _shown(self, connection: Connection, row: Row[Any]) -> Shown:
        compiled = self._compiled(connection, row)
        size = select(func.count()).where(PROFILES.c.advertiser_id == row.advertiser_id, compiled.condition)
        return {
            "id": str(row.id),
            "advertiserId": row.advertiser_id,
            "name": row.name,
            "rule": row.rule,
            "size": connection.scalar(size) or 0,
            "warnings": [*compiled.warnings],
        }
