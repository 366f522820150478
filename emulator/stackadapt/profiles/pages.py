"""The outer pages of `cdpProfiles`: profiles of one advertiser that pass every given filter (assumed)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, exists, false, func, not_, or_, select

from emulator.stackadapt import messages
from emulator.stackadapt.ingestion.profile_lists import is_on_list
from emulator.stackadapt.messages import emulator_error
from emulator.stackadapt.profiles.details import distinct_sources, integrations_of
from emulator.stackadapt.relay import cursor_of, position_of
from emulator.stackadapt.rules.emails import normalise
from emulator.stackadapt.segments.store import compiled_segment
from emulator.stackadapt.tables import PROFILE_INTEGRATIONS, PROFILES, SEGMENTS, row_id

# Assumed; neither the default nor the maximum is public.
PAGE = 100
LARGEST_PAGE = 1_000

Condition = ColumnElement[bool]
_PAGES = "cdpProfiles"
_AFTER, _BEFORE = "after", "before"


@dataclass(frozen=True, slots=True)
class _Context:
    """What a filter may depend on."""

    connection: Connection
    advertiser_id: str
    now: datetime


Filter = Callable[[_Context, Any], Condition]


def profile_page(
    connection: Connection, advertiser_id: str, filters: Mapping[str, Any], *, now: datetime
) -> dict[str, Any]:
    """`size` (all matches), the profiles of the page, and the tokens of the pages before and after it.

    A token is the position of a profile, so pages neither repeat nor skip one when profiles are written between them.
    Raises GraphQLError for a bad limit or token, or an unknown segment.
    """
    limit = _limit(filters.get("limit"))
    context = _Context(connection, advertiser_id, now)
    conditions = [PROFILES.c.advertiser_id == advertiser_id]
    for name, value in filters.items():
        if name in _FILTERS and value is not None:
            conditions.append(_FILTERS[name](context, value))
    size = connection.scalar(select(func.count()).select_from(PROFILES).where(*conditions)) or 0
    rows = _rows(connection, conditions, filters.get("paginationToken"), limit)
    integrations = integrations_of(connection, [row.id for row in rows])
    return {
        "size": size,
        **_tokens(connection, conditions, rows),
        "profiles": [
            {
                "id": row.id,
                "email": row.email,
                "marketingStatus": row.marketing_status,
                "integrations": integrations[row.id],
                "sources": distinct_sources(integrations[row.id]),
            }
            for row in rows
        ],
    }


def _rows(connection: Connection, conditions: Sequence[Condition], token: str | None, limit: int) -> list[Row[Any]]:
    query = select(PROFILES.c.id, PROFILES.c.email, PROFILES.c.marketing_status).where(*conditions).limit(limit)
    direction, position = _read_token(token)
    if direction == _BEFORE:
        backward = query.where(PROFILES.c.id < position).order_by(PROFILES.c.id.desc())
        return [*connection.execute(backward)][::-1]
    return [*connection.execute(query.where(PROFILES.c.id > position).order_by(PROFILES.c.id))]


def _read_token(token: str | None) -> tuple[str, int]:
    """A token's direction and profile id."""
    if not token:
        return _AFTER, 0
    match position_of(_PAGES, token):
        case (str(direction), int(position)) if direction in (_AFTER, _BEFORE):
            return direction, position
    raise emulator_error(messages.BAD_CURSOR.format(token))


def _tokens(connection: Connection, conditions: Sequence[Condition], rows: Sequence[Row[Any]]) -> dict[str, Any]:
    if not rows:
        return {"nextToken": None, "prevToken": None}
    first, last = rows[0].id, rows[-1].id

    def token(direction: str, position: int, beyond: Condition) -> str | None:
        found = connection.execute(select(PROFILES.c.id).where(*conditions, beyond).limit(1)).first()
        return cursor_of(_PAGES, (direction, position)) if found else None

    return {
        "nextToken": token(_AFTER, last, PROFILES.c.id > last),
        "prevToken": token(_BEFORE, first, PROFILES.c.id < first),
    }


def _limit(limit: int | None) -> int:
    if limit is not None and limit < 0:
        raise emulator_error(messages.BAD_PAGE_SIZE.format("limit", limit))
    return min(PAGE if limit is None else max(limit, 1), LARGEST_PAGE)


def _email(_context: _Context, email: str) -> Condition:
    return PROFILES.c.email == normalise(email)


def _domains(_context: _Context, domains: list[str]) -> Condition:
    return or_(
        false(), *(PROFILES.c.email.endswith("@" + domain.strip().lower(), autoescape=True) for domain in domains)
    )


def _integration(_context: _Context, integration_id: str) -> Condition:
    return _sent_by(PROFILE_INTEGRATIONS.c.mapping_id == row_id(integration_id))


def _source(_context: _Context, source: str) -> Condition:
    return _sent_by(PROFILE_INTEGRATIONS.c.source == source)


def _sent_by(condition: Condition) -> Condition:
    return exists().where(PROFILE_INTEGRATIONS.c.profile_id == PROFILES.c.id, condition)


def _segment(context: _Context, segment_id: str) -> Condition:
    query = select(SEGMENTS).where(
        SEGMENTS.c.id == row_id(segment_id), SEGMENTS.c.advertiser_id == context.advertiser_id
    )
    row = context.connection.execute(query).one_or_none()
    if row is None or str(row.id) != segment_id:
        raise emulator_error(messages.SEGMENT_UNKNOWN.format(segment_id))
    return compiled_segment(context.connection, row, context.now).condition


def _list(context: _Context, list_id: str) -> Condition:
    return is_on_list(context.advertiser_id, list_id)


def _without_list(context: _Context, list_id: str) -> Condition:
    return not_(is_on_list(context.advertiser_id, list_id))


_FILTERS: Mapping[str, Filter] = {
    "email": _email,
    "excludeListId": _without_list,
    "filterDomains": _domains,
    "integrationId": _integration,
    "listId": _list,
    "segmentId": _segment,
    "source": _source,
}
