"""What belongs to profiles in other tables, for many profiles at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from emulator.stackadapt.ingestion.profile_lists import integration_of
from emulator.stackadapt.tables import EXTERNAL_AUDIENCES, HELD_EXTERNAL_IDS, MEMBERSHIPS, PROFILE_INTEGRATIONS
from emulator.statements import Prepared, keys

Rows = Mapping[int, Sequence[Any]]

_HELD = HELD_EXTERNAL_IDS.subquery()
_EXTERNAL_IDS = Prepared(
    select(_HELD).where(_HELD.c.profile_id.in_(keys())).order_by(_HELD.c.provider, _HELD.c.external_id)
)
_AUDIENCES = Prepared(
    select(MEMBERSHIPS.c.profile_id, MEMBERSHIPS.c.changed_at, EXTERNAL_AUDIENCES)
    .join(EXTERNAL_AUDIENCES, EXTERNAL_AUDIENCES.c.id == MEMBERSHIPS.c.audience_id)
    .where(MEMBERSHIPS.c.active, MEMBERSHIPS.c.profile_id.in_(keys()))
    .order_by(EXTERNAL_AUDIENCES.c.id)
)
_INTEGRATIONS = Prepared(
    select(PROFILE_INTEGRATIONS)
    .where(PROFILE_INTEGRATIONS.c.profile_id.in_(keys()))
    .order_by(PROFILE_INTEGRATIONS.c.mapping_id, PROFILE_INTEGRATIONS.c.source)
)


def external_ids_of(connection: Connection, profile_ids: Sequence[int]) -> Rows:
    """External ids by profile: `provider`, `external_id`."""
    return _by_profile(_EXTERNAL_IDS, connection, profile_ids)


def audiences_of(connection: Connection, profile_ids: Sequence[int]) -> Rows:
    """Active memberships by profile: `provider`, `external_id`, `name`, `changed_at`."""
    return _by_profile(_AUDIENCES, connection, profile_ids)


def integrations_of(connection: Connection, profile_ids: Sequence[int]) -> Mapping[int, list[dict[str, Any]]]:
    """The connections that sent each profile, as the schema's `CdpIntegration`."""
    found: dict[int, list[dict[str, Any]]] = {profile_id: [] for profile_id in profile_ids}
    for row in _INTEGRATIONS.matching(connection, profile_ids):
        found[row.profile_id].append(integration_of(row))
    return found


def distinct_sources(integrations: Sequence[Mapping[str, Any]]) -> list[str]:
    """The distinct sources of a profile's connections."""
    return list(dict.fromkeys(each["source"] for each in integrations))


def _by_profile(query: Prepared, connection: Connection, profile_ids: Sequence[int]) -> Rows:
    found: dict[int, list[Any]] = defaultdict(list)
    for row in query.matching(connection, profile_ids):
        found[row.profile_id].append(row)
    return found
