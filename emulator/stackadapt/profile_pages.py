"""The outer pages of `cdpProfiles`: profiles of one advertiser that pass every given filter (assumed)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, exists, false, func, or_, select

from emulator.stackadapt import messages
from emulator.stackadapt.connections import cursor_of, position_of
from emulator.stackadapt.context import emulator_error
from emulator.stackadapt.properties import declared_types
from emulator.stackadapt.rules.emails import normalise
from emulator.stackadapt.rules.segment_rules import parse_rule
from emulator.stackadapt.segment_sql import compile_rule
from emulator.stackadapt.tables import PROFILE_INTEGRATIONS, PROFILES, SEGMENTS
from emulator.stackadapt.upserts import portions

# Assumed; neither the default nor the most is public.
PAGE = 100
LARGEST_PAGE = 1_000

Condition = ColumnElement[bool]
Filter = Callable[[Connection, str, Any], Condition]


def profile_page(connection: Connection, advertiser_id: str, filters: Mapping[str, Any]) -> dict[str, Any]:
    """`size` (all matches), the profiles of the page, and the tokens of its neighbours.

    Raises GraphQLError for a bad limit or token, or an unknown segment.
    """
    limit = _limit(filters.get("limit"))
    token = filters.get("paginationToken")
    start = max(position_of(token) - 1, 0) if token else 0
    conditions = [
        PROFILES.c.advertiser_id == advertiser_id,
        *(
            _FILTERS[name](connection, advertiser_id, value)
            for name, value in filters.items()
            if name in _FILTERS and value is not None
        ),
    ]
    size = connection.scalar(select(func.count()).select_from(PROFILES).where(*conditions)) or 0
    rows = connection.execute(
        select(PROFILES.c.id, PROFILES.c.email, PROFILES.c.marketing_status)
        .where(*conditions)
        .order_by(PROFILES.c.id)
        .limit(limit)
        .offset(start)
    ).all()
    integrations = integrations_of(connection, [row.id for row in rows])
    return {
        "size": size,
        "nextToken": cursor_of(start + limit + 1) if start + limit < size else None,
        "prevToken": cursor_of(max(start - limit, 0) + 1) if start > 0 else None,
        "profiles": [
            {
                "email": row.email,
                "marketingStatus": row.marketing_status,
                "integrations": integrations[row.id],
                "sources": list(dict.fromkeys(each["source"] for each in integrations[row.id])),
            }
            for row in rows
        ],
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


def _email(_connection: Connection, _advertiser_id: str, email: str) -> Condition:
    return PROFILES.c.email == normalise(email)


def _domains(_connection: Connection, _advertiser_id: str, domains: list[str]) -> Condition:
    return or_(
        false(), *(PROFILES.c.email.endswith("@" + domain.strip().lower(), autoescape=True) for domain in domains)
    )


def _integration(_connection: Connection, _advertiser_id: str, integration_id: str) -> Condition:
    if not (integration_id.isascii() and integration_id.isdigit() and 0 < int(integration_id) < 2**31):
        return false()
    return _came_in_by(PROFILE_INTEGRATIONS.c.mapping_id == int(integration_id))


def _source(_connection: Connection, _advertiser_id: str, source: str) -> Condition:
    return _came_in_by(PROFILE_INTEGRATIONS.c.source == source)


def _came_in_by(condition: Condition) -> Condition:
    return exists().where(PROFILE_INTEGRATIONS.c.profile_id == PROFILES.c.id, condition)


def _segment(connection: Connection, advertiser_id: str, segment_id: str) -> Condition:
    query = select(SEGMENTS.c.id, SEGMENTS.c.rule).where(SEGMENTS.c.advertiser_id == advertiser_id)
    rules = {str(row.id): row.rule for row in connection.execute(query)}
    if segment_id not in rules:
        raise emulator_error(messages.segment_unknown(segment_id))
    return compile_rule(parse_rule(rules[segment_id]), declared_types(connection, advertiser_id)).condition


def _list(_connection: Connection, _advertiser_id: str, _list_id: str) -> Condition:
    # Profile lists cannot be made yet, so no profile is on one.
    return false()


# `excludeListId` is not here for the same reason: it leaves everyone in.
_FILTERS: Mapping[str, Filter] = {
    "email": _email,
    "filterDomains": _domains,
    "integrationId": _integration,
    "listId": _list,
    "segmentId": _segment,
    "source": _source,
}
