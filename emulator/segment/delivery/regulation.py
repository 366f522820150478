"""Regulations: requests to delete users, to suppress them, or both ("User Deletion and Suppression").

Segment carries them out within thirty days, the emulator at once, so that a regulation is never INITIALIZED or RUNNING.
`delivery.deletion` says what is deleted, `tracking.suppression` what is dropped.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection as Transaction
from sqlalchemy import insert, select

from emulator.clock import to_iso
from emulator.errors import InputError, unknown
from emulator.segment.delivery.response import FAILED
from emulator.segment.tables import REGULATIONS
from emulator.stored_values import StoredValues

# User ids in one regulation.
USERS_IN_A_REGULATION = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RegulationType:
    """What a type of regulation does. `suppresses` is True, False for ending a suppression, or None."""

    suppresses: bool | None
    deletes: bool = False
    forwards: bool = False


TYPES: Mapping[str, RegulationType] = MappingProxyType(
    {
        "SUPPRESS_ONLY": RegulationType(suppresses=True),
        "UNSUPPRESS": RegulationType(suppresses=False),
        "SUPPRESS_WITH_DELETE": RegulationType(suppresses=True, deletes=True, forwards=True),
        "SUPPRESS_WITH_DELETE_INTERNAL": RegulationType(suppresses=True, deletes=True),
        "DELETE_ONLY": RegulationType(suppresses=None, deletes=True, forwards=True),
        "DELETE_INTERNAL": RegulationType(suppresses=None, deletes=True),
    }
)


def checked_type(name: str, user_ids: Sequence[str]) -> RegulationType:
    """The type with this name. Raises UnknownName for another, InputError for no user ids or too many."""
    if name not in TYPES:
        raise unknown("regulation type", name, TYPES, where="regulationType")
    if not 0 < len(user_ids) <= USERS_IN_A_REGULATION or not all(user_ids):
        raise InputError(
            "a regulation needs user ids",
            where="subjectIds",
            found=len(user_ids),
            allowed=f"1 to {USERS_IN_A_REGULATION:,} that are not empty",
            hint="Split more into several regulations." if len(user_ids) > USERS_IN_A_REGULATION else None,
        )
    return TYPES[name]


def record(
    transaction: Transaction, name: str, subjects: Sequence[Mapping[str, Any]], *, regulation_id: str, at: datetime
) -> dict[str, Any]:
    """Stores a regulation that was carried out, and returns its JSON form.

    It failed where a destination instance failed: Segment reports the overall status of all of them.
    """
    outcomes = {each["outcome"] for subject in subjects for each in subject["destinations"]}
    regulation = {
        "id": regulation_id,
        "regulationType": name,
        "subjectType": "USER_ID",
        "overallStatus": "FAILED" if FAILED in outcomes else "FINISHED",
        "createdAt": to_iso(at),
        "finishedAt": to_iso(at),
        "subjects": list(subjects),
    }
    transaction.execute(insert(REGULATIONS).values(content=json.dumps(regulation)))
    return regulation


def regulations(transaction: Transaction, limit: int, offset: int) -> list[dict[str, Any]]:
    """The regulations, oldest first."""
    found = select(REGULATIONS).order_by(REGULATIONS.c.id).limit(limit).offset(offset)
    return [_shown(row) for row in transaction.execute(found)]


def _shown(row: Any) -> dict[str, Any]:
    stored = StoredValues()
    return stored.shown(stored.object("regulation", row.content) or {"id": str(row.id)})
