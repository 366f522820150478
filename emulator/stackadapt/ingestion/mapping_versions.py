"""Which keys the mappings of an advertiser named, and since when: why a key of a record was dropped.

An activation that changes the keys of a mapping is a version; versions are numbered in the order of all activations. A
record keeps the number of the newest one when it was read, which separates it from later ones even at the same time.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, bindparam, func, select

from emulator.stackadapt.rules.outcomes import UNMAPPED_KEY
from emulator.stackadapt.rules.providers import provider_key
from emulator.stackadapt.tables import MAPPING_VERSIONS
from emulator.statements import Prepared, insert_row
from emulator.timestamps import iso_of_millis

_UPLOADS = provider_key("USER_UPLOADED")

# The owners of versions: an advertiser id and the key of a provider.
Owner = tuple[str, str]
Warnings = list[dict[str, Any]]


_KEYS_OF = Prepared(
    select(MAPPING_VERSIONS.c.incoming_keys)
    .where(MAPPING_VERSIONS.c.mapping_id == bindparam("mapping_id"))
    .order_by(MAPPING_VERSIONS.c.id.desc())
    .limit(1)
)
_NEWEST = Prepared(select(func.max(MAPPING_VERSIONS.c.id)))


def add_version(connection: Connection, mapping: Any, keys: Iterable[str], now: int) -> None:
    """Notes that a mapping, a row of `MAPPINGS`, is active with these incoming keys."""
    named = sorted(set(keys))
    row = _KEYS_OF.first(connection, mapping_id=mapping.id)
    if row is None or row.incoming_keys != named:
        insert_row(
            connection,
            MAPPING_VERSIONS,
            mapping_id=mapping.id,
            advertiser_id=mapping.advertiser_id,
            type_key=mapping.type_key,
            incoming_keys=named,
            active_since=now,
        )


def newest_version(connection: Connection) -> int:
    """The number of the newest version; 0 when there is none."""
    return _NEWEST.value(connection) or 0


def stored_warning(keys: Iterable[str], *, mapping_id: int, version: int) -> dict[str, Any]:
    """The warning about keys that no mapping named, as a record keeps it."""
    return {"code": UNMAPPED_KEY, "keys": [*keys], "mapping": mapping_id, "version": version}


class _Version(NamedTuple):
    number: int
    mapping_id: int
    since: int


class MappingHistory:
    """The versions of all mappings, to complete the warnings of records. Nothing is read unless `needed`."""

    def __init__(self, connection: Connection, *, needed: bool) -> None:
        self._of_mapping: dict[int, list[_Version]] = defaultdict(list)
        self._naming: dict[tuple[Owner, str], list[_Version]] = defaultdict(list)
        self._current: dict[int, Row[Any]] = {}
        rows = connection.execute(select(MAPPING_VERSIONS).order_by(MAPPING_VERSIONS.c.id)) if needed else ()
        for row in rows:
            version = _Version(row.id, row.mapping_id, row.active_since)
            self._of_mapping[row.mapping_id].append(version)
            self._current[row.mapping_id] = row
            for key in row.incoming_keys:
                self._naming[(row.advertiser_id, row.type_key), key].append(version)

    def completed(self, stored: Warnings, owner: Owner, *, own_mapping: bool) -> Warnings:
        """Stored warnings as they are shown: one for each unmapped key.

        With `own_mapping`, as for uploads, no other mapping could apply to the record.
        """
        shown: Warnings = []
        for warning in stored:
            if warning["code"] != UNMAPPED_KEY:
                shown.append(warning)
                continue
            mapping_id, number = warning["mapping"], warning["version"]
            active = self._active(mapping_id, number)
            for key in warning["keys"]:
                later = None if own_mapping else self._next(owner, key, number)
                shown.append(
                    {
                        "code": UNMAPPED_KEY,
                        "key": key,
                        "mapping": str(mapping_id) if mapping_id else None,
                        "since": iso_of_millis(active.since) if active else None,
                        "next": str(later.mapping_id) if later else None,
                        "nextSince": iso_of_millis(later.since) if later else None,
                        "elsewhere": None if own_mapping or later else self._elsewhere(key),
                    }
                )
        return shown

    def _active(self, mapping_id: int, number: int) -> _Version | None:
        versions = self._of_mapping[mapping_id]
        index = bisect_right(versions, number, key=lambda version: version.number)
        return versions[index - 1] if index else None

    def _next(self, owner: Owner, key: str, number: int) -> _Version | None:
        versions = self._naming[owner, key]
        index = bisect_left(versions, number + 1, key=lambda version: version.number)
        return versions[index] if index < len(versions) else None

    def _elsewhere(self, key: str) -> dict[str, str] | None:
        """The newest mapping that names the key now, although it does not apply: of another advertiser or provider, or
        one that a newer connection's mapping replaces.
        """
        for row in reversed(self._current.values()):
            if key in row.incoming_keys and row.type_key != _UPLOADS:
                return {"mapping": str(row.mapping_id), "advertiserId": row.advertiser_id, "provider": row.type_key}
        return None
