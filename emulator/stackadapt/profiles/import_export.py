"""Profiles out of a sandbox and into one: a door of the emulator's own, past the queue and its latency.

What comes in is held to the rules of ingestion: the same email rule, the same reading of values by declared type, the
same people kept out for good. A profile that is there already is merged with, as a record would be.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import IO, Any
from urllib.parse import unquote

from sqlalchemy import Connection, select

from emulator.errors import InputError, nearest
from emulator.sandbox import Sandbox
from emulator.stackadapt.ingestion.declared_properties import declared_types
from emulator.stackadapt.ingestion.profile_batch import ProfileBatch
from emulator.stackadapt.profiles.file_formats import BadLine, Line, as_csv, as_json_lines, check_format, read_lines
from emulator.stackadapt.profiles.imported_profile import ImportedProfile, Problem, read_profile
from emulator.stackadapt.rules.providers import provider_key
from emulator.stackadapt.rules.reasons import REASONS, SUPPRESSED
from emulator.stackadapt.tables import EXTERNAL_AUDIENCES, EXTERNAL_IDS, MEMBERSHIPS, PROFILES
from emulator.timestamps import to_millis

PROFILES_AT_ONCE = 1_000
PROBLEMS_SHOWN = 20

# The member of the schema's `Source` for what did not come through a connection.
_SOURCE = "USER_UPLOADED"

Shown = dict[str, Any]


@dataclass(slots=True)
class Import:
    """What became of a file: lines read, imported and rejected, and the first of those with something amiss."""

    read: int = 0
    imported: int = 0
    rejected: int = 0
    errors: list[Shown] = field(default_factory=list)
    warnings: list[Shown] = field(default_factory=list)

    def reject(self, line: int, problem: Problem) -> None:
        """Counts a line that was left out."""
        self.rejected += 1
        self.errors.append(_shown(line, problem))

    def accept(self, line: int, problems: Sequence[Problem]) -> None:
        """Counts a line that was taken in, perhaps without some of its values."""
        self.imported += 1
        self.warnings += [_shown(line, problem) for problem in problems]

    def close_part(self) -> None:
        """Keeps the first problems by line; within a part they come in no order."""
        for problems in (self.errors, self.warnings):
            problems.sort(key=lambda problem: problem["line"])
            del problems[PROBLEMS_SHOWN:]

    def as_dict(self) -> Shown:
        """The JSON form."""
        return {
            "read": self.read,
            "imported": self.imported,
            "rejected": self.rejected,
            "errors": self.errors,
            "warnings": self.warnings,
        }


def export_profiles(sandbox: Sandbox, name: str, advertiser_id: str | None) -> Iterator[str]:
    """The visible profiles as lines of text, oldest first, read a page at a time while they are asked for.

    Raises InputError, before the first line, for an unknown format or advertiser.
    """
    check_format(name)
    if advertiser_id is not None:
        _check_advertiser(sandbox, advertiser_id)
    if name == "jsonl":
        return as_json_lines(_profiles(sandbox, advertiser_id))
    return as_csv(_profiles(sandbox, advertiser_id), _property_keys(sandbox, advertiser_id))


def import_profiles(sandbox: Sandbox, file: IO[bytes], name: str, advertiser_id: str | None) -> Import:
    """Takes profiles in, a thousand in a transaction. `advertiser_id` counts for lines that name none.

    Raises InputError for an unknown format or advertiser; a bad line is counted and left out.
    """
    check_format(name)
    if advertiser_id is not None:
        _check_advertiser(sandbox, advertiser_id)
    result = Import()
    lines = read_lines(file, name)
    while part := list(islice(lines, PROFILES_AT_ONCE)):
        with sandbox.store.begin() as connection:
            _take_in(sandbox, connection, part, advertiser_id, result)
        result.close_part()
    return result


def _take_in(
    sandbox: Sandbox, connection: Connection, lines: Sequence[Line], advertiser_id: str | None, result: Import
) -> None:
    advertisers = [advertiser.id for advertiser in sandbox.workspace.advertisers]
    by_advertiser: dict[str, list[tuple[int, Shown]]] = defaultdict(list)
    for number, profile in lines:
        result.read += 1
        if isinstance(profile, BadLine):
            result.reject(number, Problem("UNREADABLE_LINE", str(profile)))
            continue
        owner = profile.get("advertiserId", advertiser_id)
        if owner not in advertisers:
            problem = "The workspace has no such advertiser." if owner else "It names no advertiser."
            result.reject(number, Problem("UNKNOWN_ADVERTISER", problem, "advertiserId"))
            continue
        by_advertiser[owner].append((number, profile))
    for owner, profiles in by_advertiser.items():
        types = declared_types(connection, owner)
        read = []
        for number, profile in profiles:
            imported = read_profile(profile, types)
            if isinstance(imported, Problem):
                result.reject(number, imported)
            else:
                read.append((number, imported))
        _merge(connection, owner, read, to_millis(sandbox.clock.now()), result)


def _merge(
    connection: Connection, advertiser_id: str, read: Sequence[tuple[int, ImportedProfile]], now: int, result: Import
) -> None:
    welcome: list[ImportedProfile] = []
    batch = ProfileBatch(connection, advertiser_id=advertiser_id, provider="", now=now)
    batch.load([imported.reading for _, imported in read])
    for number, imported in read:
        if batch.suppresses(imported.reading.email):
            result.reject(number, Problem(SUPPRESSED, REASONS[SUPPRESSED]))
            continue
        state = batch.apply(imported.reading, None)
        state.marketing_status = imported.status_after(state.marketing_status)
        welcome.append(imported)
        result.accept(number, imported.problems)
    batch.flush(source=_SOURCE, mapping_id=0)
    _merge_identities(connection, advertiser_id, welcome, now)


def _merge_identities(
    connection: Connection, advertiser_id: str, imported: Sequence[ImportedProfile], now: int
) -> None:
    by_provider = defaultdict(list)
    for profile in imported:
        for provider, reading in profile.identities:
            by_provider[provider_key(provider)].append(reading)
    for provider, readings in by_provider.items():
        batch = ProfileBatch(connection, advertiser_id=advertiser_id, provider=provider, now=now)
        batch.load(readings)
        for reading in readings:
            batch.apply(reading, None)
        batch.flush(source=_SOURCE, mapping_id=0)


def _profiles(sandbox: Sandbox, advertiser_id: str | None) -> Iterator[Shown]:
    last = 0
    while True:
        # A page is a transaction: a slow reader must not hold everybody else up.
        with sandbox.store.begin() as connection:
            page = _page(connection, advertiser_id, last)
        if not page:
            return
        yield from (profile for _, profile in page)
        last = page[-1][0]


def _page(connection: Connection, advertiser_id: str | None, after: int) -> list[tuple[int, Shown]]:
    query = select(PROFILES).where(PROFILES.c.id > after).order_by(PROFILES.c.id).limit(PROFILES_AT_ONCE)
    if advertiser_id is not None:
        query = query.where(PROFILES.c.advertiser_id == advertiser_id)
    rows = connection.execute(query).all()
    if not rows:
        return []
    span = (rows[0].id, rows[-1].id)
    external_ids, audiences = _external_ids(connection, span), _audiences(connection, span)
    return [
        (
            row.id,
            {
                "advertiserId": row.advertiser_id,
                "email": row.email,
                "marketingStatus": row.marketing_status,
                "externalIds": external_ids[row.id],
                "audiences": audiences[row.id],
                "properties": _plain(row.properties),
            },
        )
        for row in rows
    ]


def _external_ids(connection: Connection, span: tuple[int, int]) -> Mapping[int, list[Shown]]:
    found: dict[int, list[Shown]] = defaultdict(list)
    table = EXTERNAL_IDS.c
    query = select(EXTERNAL_IDS).where(table.profile_id.between(*span)).order_by(table.provider, table.external_id)
    for row in connection.execute(query):
        found[row.profile_id].append({"provider": row.provider, "id": row.external_id})
    return found


def _audiences(connection: Connection, span: tuple[int, int]) -> Mapping[int, list[Shown]]:
    found: dict[int, list[Shown]] = defaultdict(list)
    query = (
        select(MEMBERSHIPS.c.profile_id, EXTERNAL_AUDIENCES)
        .join(EXTERNAL_AUDIENCES, EXTERNAL_AUDIENCES.c.id == MEMBERSHIPS.c.audience_id)
        .where(MEMBERSHIPS.c.profile_id.between(*span), MEMBERSHIPS.c.active)
        .order_by(EXTERNAL_AUDIENCES.c.id)
    )
    for row in connection.execute(query):
        found[row.profile_id].append({"provider": row.provider, "id": row.external_id, "name": row.name})
    return found


def _property_keys(sandbox: Sandbox, advertiser_id: str | None) -> list[str]:
    keys = {key for profile in _profiles(sandbox, advertiser_id) for key in profile["properties"]}
    return sorted(keys)


def _plain(stored: Mapping[str, Any]) -> Shown:
    return {unquote(key.partition(":")[2]): value for key, value in stored.items()}


def _shown(line: int, problem: Problem) -> Shown:
    shown = {"line": line, "reason": problem.reason, "message": problem.message}
    return shown | ({"key": problem.key} if problem.key else {})


def _check_advertiser(sandbox: Sandbox, advertiser_id: str) -> None:
    known = [advertiser.id for advertiser in sandbox.workspace.advertisers]
    if advertiser_id not in known:
        raise InputError(
            "this workspace has no such advertiser",
            where="advertiserId",
            found=advertiser_id,
            allowed=", ".join(known),
            hint=nearest(advertiser_id, known),
        )
