"""The catalogue of profile properties as the control API shows it: who declared each, how many profiles have it, and
the keys of records that no mapping named.

Only the newest profiles and records are looked at, so that it takes the same time whatever their number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import Connection, select

from emulator.errors import unknown
from emulator.sandbox import Sandbox
from emulator.stackadapt.advertisers import Advertisers
from emulator.stackadapt.ingestion.declared_properties import UPLOADED, ProfileProperty, property_catalogue
from emulator.stackadapt.ingestion.mapping_versions import MappingHistory
from emulator.stackadapt.rules.mapping_columns import EMAIL
from emulator.stackadapt.rules.outcomes import UNMAPPED_KEY
from emulator.stackadapt.rules.providers import provider_key
from emulator.stackadapt.rules.values import plain_properties
from emulator.stackadapt.tables import BATCHES, PROFILES, RECORDS, RECORDS_OF_BATCHES

LOOKED_AT = 1_000

JsonObject = dict[str, Any]
Transaction = Callable[[], AbstractContextManager[Connection]]


class PropertyQueries:
    """Reads the catalogues of a sandbox.

    `sources` are the values of the schema's enum `Source`; `transaction` opens a transaction in which every due job has
    been applied.
    """

    def __init__(self, sandbox: Sandbox, sources: Collection[str], transaction: Transaction) -> None:
        self._sandbox = sandbox
        self._sources = sources
        self._transaction = transaction

    def properties(self, advertiser_id: str) -> JsonObject:
        """`properties` of an advertiser (`key`, `label`, `type`, `isPii`, `source`, `mappings`, and how many of the
        newest `profiles` have it), `dropped` keys (`key`, `records`, and the warning about the newest one), and how
        many profiles and records were `counted`. Raises InputError for an unknown advertiser.
        """
        with self._transaction() as connection:
            advertisers = [each.id for each in Advertisers(connection, self._sandbox.workspace).all()]
            if advertiser_id not in advertisers:
                raise unknown("advertiser", advertiser_id, advertisers, where="advertiserId")
            profiles, having = _having(connection, advertiser_id)
            catalogue = property_catalogue(connection, advertiser_id, sorted(self._sources))
            records, dropped = _dropped(connection, advertiser_id)
        return {
            "properties": [_shown(each, having) for each in sorted(catalogue, key=lambda each: (each.rank, each.key))],
            "dropped": dropped,
            "counted": {"profiles": profiles, "records": records},
        }


def _shown(known: ProfileProperty, having: Counter[str]) -> JsonObject:
    return {
        "key": known.key,
        "label": known.label,
        "type": known.data_type,
        "isPii": known.is_pii,
        "source": known.source,
        "mappings": list(known.connection_ids),
        "profiles": having[known.key],
    }


def _having(connection: Connection, advertiser_id: str) -> tuple[int, Counter[str]]:
    """How many profiles were looked at, and how many of them have each property."""
    newest = select(PROFILES.c.properties).where(PROFILES.c.advertiser_id == advertiser_id)
    having: Counter[str] = Counter()
    number = 0
    for stored in connection.scalars(newest.order_by(PROFILES.c.id.desc()).limit(LOOKED_AT)):
        number += 1
        having[EMAIL] += 1
        having.update(key for key in plain_properties(stored) if key != EMAIL)
    return number, having


def _dropped(connection: Connection, advertiser_id: str) -> tuple[int, list[JsonObject]]:
    """How many records were looked at, and the keys of them that no mapping named."""
    newest = select(RECORDS.c.warnings, BATCHES.c.provider).select_from(RECORDS_OF_BATCHES)
    newest = newest.where(BATCHES.c.advertiser_id == advertiser_id).order_by(RECORDS.c.id.desc()).limit(LOOKED_AT)
    rows = connection.execute(newest).all()
    history = MappingHistory(connection, needed=any(row.warnings for row in rows))
    counted: Counter[str] = Counter()
    latest: dict[str, JsonObject] = {}
    for row in rows:
        for warning in _unmapped(row.warnings):
            counted.update(warning["keys"])
            if {*warning["keys"]} - latest.keys():
                own = row.provider == provider_key(UPLOADED)
                for shown in history.completed([warning], (advertiser_id, row.provider), own_mapping=own):
                    latest.setdefault(shown["key"], shown)
    return len(rows), [{"key": key, "records": counted[key], "warning": latest[key]} for key in sorted(latest)]


def _unmapped(warnings: Any) -> Iterator[JsonObject]:
    for each in warnings or ():
        if each["code"] == UNMAPPED_KEY:
            yield each
