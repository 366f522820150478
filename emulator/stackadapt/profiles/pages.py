"""The outer pages of `cdpProfiles`: profiles of one advertiser that pass every given filter (assumed)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, bindparam, exists, false, func, not_, or_, select

from emulator.stackadapt import messages
from emulator.stackadapt.ingestion.profile_lists import is_on_list
from emulator.stackadapt.messages import emulator_error
from emulator.stackadapt.profile_counts import number_of
from emulator.stackadapt.profiles.details import distinct_sources, integrations_of
from emulator.stackadapt.relay import cursor_of, position_of
from emulator.stackadapt.rules.emails import normalise
from emulator.stackadapt.segments.store import compiled_segment
from emulator.stackadapt.tables import PROFILE_INTEGRATIONS, PROFILES, SEGMENTS, row_id
from emulator.statements import Prepared

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
    """`size` (all matches, as a function), the profiles of the page, and the tokens of the pages before and after it.

    A token is the position of a profile, so pages neither repeat nor skip one when profiles are written between them.
    Raises GraphQLError for a bad limit or token, or an unknown segment.
    """
    limit = _limit(filters.get("limit"))
    context = _Context(connection, advertiser_id, now)
    conditions = [
        _FILTERS[name](context, value) for name, value in filters.items() if name in _FILTERS and value is not None
    ]
    rows = _rows(connection, advertiser_id, conditions, filters.get("paginationToken"), limit)
    integrations = integrations_of(connection, [row.id for row in rows])
    return {
        "size": lambda: _size(connection, advertiser_id, conditions),
        **_tokens(connection, advertiser_id, conditions, rows),
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


_OWN: Final = PROFILES.c.advertiser_id == bindparam("advertiser_id")
_BEYOND: Final = {_AFTER: PROFILES.c.id > bindparam("position"), _BEFORE: PROFILES.c.id < bindparam("position")}


def _page(conditions: Sequence[Condition], direction: str) -> Select[Any]:
    order = PROFILES.c.id if direction == _AFTER else PROFILES.c.id.desc()
    return (
        select(PROFILES.c.id, PROFILES.c.email, PROFILES.c.marketing_status)
        .where(*conditions, _BEYOND[direction])
        .order_by(order)
        .limit(bindparam("limit"))
    )


_PAGES_OF_ALL: Final = {direction: Prepared(_page([_OWN], direction)) for direction in _BEYOND}


def _profiles(
    connection: Connection, advertiser_id: str, filters: Sequence[Condition], direction: str, **page: int
) -> list[Any]:
    """Up to `limit` profiles that pass the filters, beyond `position` in a direction, the nearest first."""
    if not filters:
        return _PAGES_OF_ALL[direction].rows(connection, advertiser_id=advertiser_id, **page)
    return [*connection.execute(_page([_OWN, *filters], direction), {"advertiser_id": advertiser_id, **page})]


def _size(connection: Connection, advertiser_id: str, filters: Sequence[Condition]) -> int:
    if not filters:
        return number_of(connection, advertiser_id)
    query = select(func.count()).select_from(PROFILES).where(_OWN, *filters)
    return connection.scalar(query, {"advertiser_id": advertiser_id}) or 0


def _rows(
    connection: Connection, advertiser_id: str, filters: Sequence[Condition], token: str | None, limit: int
) -> list[Any]:
    direction, position = _read_token(token)
    rows = _profiles(connection, advertiser_id, filters, direction, position=position, limit=limit)
    return rows if direction == _AFTER else rows[::-1]


def _read_token(token: str | None) -> tuple[str, int]:
    """A token's direction and profile id."""
    if not token:
        return _AFTER, 0
    match position_of(_PAGES, token):
        case (str(direction), int(position)) if direction in (_AFTER, _BEFORE):
            return direction, position
    raise emulator_error(messages.BAD_CURSOR.format(token))


def _tokens(
    connection: Connection, advertiser_id: str, filters: Sequence[Condition], rows: Sequence[Any]
) -> dict[str, Any]:
    if not rows:
        return {"nextToken": None, "prevToken": None}

    def token(direction: str, position: int) -> str | None:
        found = _profiles(connection, advertiser_id, filters, direction, position=position, limit=1)
        return cursor_of(_PAGES, (direction, position)) if found else None

    return {"nextToken": token(_AFTER, rows[-1].id), "prevToken": token(_BEFORE, rows[0].id)}


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
