"""The outer pages of `cdpProfiles`: profiles of one advertiser that pass every given filter (assumed)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, exists, false, func, not_, or_, select

from emulator.stackadapt import messages
from emulator.stackadapt.ingestion.declared_properties import declared_types
from emulator.stackadapt.ingestion.profile_lists import is_on_list
from emulator.stackadapt.messages import emulator_error
from emulator.stackadapt.relay import cursor_of, position_of
from emulator.stackadapt.rules.emails import normalise
from emulator.stackadapt.rules.segment_rules import parse_rule
from emulator.stackadapt.segments.sql import compile_rule
from emulator.stackadapt.tables import PROFILE_INTEGRATIONS, PROFILES, SEGMENTS
from emulator.store import portions

# Assumed; neither the default nor the most is public.
PAGE = 100
LARGEST_PAGE = 1_000

Condition = ColumnElement[bool]
_PAGES = "cdpProfiles"
_AFTER, _BEFORE = "after", "before"


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a filter may look at."""

    connection: Connection
    advertiser_id: str
    now: datetime


Filter = Callable[[_Asked, Any], Condition]


def profile_page(
    connection: Connection, advertiser_id: str, filters: Mapping[str, Any], *, now: datetime
) -> dict[str, Any]:
    """`size` (all matches), the profiles of the page, and the tokens of its neighbours.

    A token is the place of a profile, so pages neither repeat nor leave out a profile whatever is written between them.
    Raises GraphQLError for a bad limit or token, or an unknown segment.
    """
    limit = _limit(filters.get("limit"))
    conditions = [PROFILES.c.advertiser_id == advertiser_id]
    asked = _Asked(connection, advertiser_id, now)
    for name, value in filters.items():
        if name in _FILTERS and value is not None:
            conditions.append(_FILTERS[name](asked, value))
    size = connection.scalar(select(func.count()).select_from(PROFILES).where(*conditions)) or 0
    rows = _rows(connection, conditions, filters.get("paginationToken"), limit)
    integrations = integrations_of(connection, [row.id for row in rows])
    return {
        "size": size,
        **_neighbours(connection, conditions, rows),
        "profiles": [
            {
                "id": row.id,
                "email": row.email,
                "marketingStatus": row.marketing_status,
                "integrations": integrations[row.id],
                "sources": list(dict.fromkeys(each["source"] for each in integrations[row.id])),
            }
            for row in rows
        ],
    }


def _rows(connection: Connection, conditions: Sequence[Condition], token: str | None, limit: int) -> list[Row[Any]]:
    query = select(PROFILES.c.id, PROFILES.c.email, PROFILES.c.marketing_status).where(*conditions).limit(limit)
    way, place = _token(token)
    if way == _BEFORE:
        backward = query.where(PROFILES.c.id < place).order_by(PROFILES.c.id.desc())
        return [*connection.execute(backward)][::-1]
    return [*connection.execute(query.where(PROFILES.c.id > place).order_by(PROFILES.c.id))]


def _token(token: str | None) -> tuple[str, int]:
    """Which way a token leads, and from which profile."""
    if not token:
        return _AFTER, 0
    match position_of(_PAGES, token):
        case (str(way), int(place)) if way in (_AFTER, _BEFORE):
            return way, place
    raise emulator_error(messages.bad_cursor(token))


def _neighbours(connection: Connection, conditions: Sequence[Condition], rows: Sequence[Row[Any]]) -> dict[str, Any]:
    if not rows:
        return {"nextToken": None, "prevToken": None}
    first, last = rows[0].id, rows[-1].id

    def token(way: str, place: int, there: Condition) -> str | None:
        found = connection.execute(select(PROFILES.c.id).where(*conditions, there).limit(1)).first()
        return cursor_of(_PAGES, (way, place)) if found else None

    return {
        "nextToken": token(_AFTER, last, PROFILES.c.id > last),
        "prevToken": token(_BEFORE, first, PROFILES.c.id < first),
    }


def integrations_of(connection: Connection, profile_ids: list[int]) -> dict[int, list[dict[str, Any]]]:
    """The connections through which profiles came in: `integrationId` (a mapping's id, or None) and `source`."""
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for part in portions(profile_ids):
        query = (
            select(PROFILE_INTEGRATIONS)
            .where(PROFILE_INTEGRATIONS.c.profile_id.in_(part))
            .order_by(PROFILE_INTEGRATIONS.c.mapping_id, PROFILE_INTEGRATIONS.c.source)
        )
        for row in connection.execute(query):
            integration_id = str(row.mapping_id) if row.mapping_id else None
            found[row.profile_id].append({"integrationId": integration_id, "source": row.source})
    return found


def _limit(limit: int | None) -> int:
    if limit is not None and limit < 0:
        raise emulator_error(messages.bad_page_size("limit", limit))
    return min(PAGE if limit is None else max(limit, 1), LARGEST_PAGE)


def _email(_asked: _Asked, email: str) -> Condition:
    return PROFILES.c.email == normalise(email)


def _domains(_asked: _Asked, domains: list[str]) -> Condition:
    return or_(
        false(), *(PROFILES.c.email.endswith("@" + domain.strip().lower(), autoescape=True) for domain in domains)
    )


def _integration(_asked: _Asked, integration_id: str) -> Condition:
    if not (integration_id.isascii() and integration_id.isdigit() and 0 < int(integration_id) < 2**31):
        return false()
    return _came_in_by(PROFILE_INTEGRATIONS.c.mapping_id == int(integration_id))


def _source(_asked: _Asked, source: str) -> Condition:
    return _came_in_by(PROFILE_INTEGRATIONS.c.source == source)


def _came_in_by(condition: Condition) -> Condition:
    return exists().where(PROFILE_INTEGRATIONS.c.profile_id == PROFILES.c.id, condition)


def _segment(asked: _Asked, segment_id: str) -> Condition:
    query = select(SEGMENTS.c.id, SEGMENTS.c.rule).where(SEGMENTS.c.advertiser_id == asked.advertiser_id)
    rules = {str(row.id): row.rule for row in asked.connection.execute(query)}
    if segment_id not in rules:
        raise emulator_error(messages.segment_unknown(segment_id))
    declared = declared_types(asked.connection, asked.advertiser_id)
    return compile_rule(parse_rule(rules[segment_id]), declared, asked.now).condition


def _list(asked: _Asked, list_id: str) -> Condition:
    return is_on_list(asked.advertiser_id, list_id)


def _without_list(asked: _Asked, list_id: str) -> Condition:
    return not_(is_on_list(asked.advertiser_id, list_id))


_FILTERS: Mapping[str, Filter] = {
    "email": _email,
    "excludeListId": _without_list,
    "filterDomains": _domains,
    "integrationId": _integration,
    "listId": _list,
    "segmentId": _segment,
    "source": _source,
}
