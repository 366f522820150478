"""Imports and exports the profiles of a sandbox, bypassing the job queue and its latency.

An import follows the rules of ingestion: the same email rule, the same reading of values by declared type, the same
suppressions. An existing profile is merged with, as by a record.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import IO, Any

from sqlalchemy import Connection, Row, select

from emulator.errors import unknown
from emulator.sandbox import Sandbox
from emulator.stackadapt.ingestion.declared_properties import declared_types
from emulator.stackadapt.ingestion.profile_batch import ProfileBatch
from emulator.stackadapt.profiles.details import audiences_of, external_ids_of
from emulator.stackadapt.profiles.file_formats import (
    ADVERTISER_ID,
    AUDIENCES,
    EMAIL,
    EXTERNAL_IDS,
    MARKETING_STATUS,
    PROPERTIES,
    BadLine,
    Line,
    as_csv,
    as_json_lines,
    check_format,
    read_lines,
)
from emulator.stackadapt.profiles.imported_profile import UNREADABLE_LINE, ImportedProfile, Problem, read_profile
from emulator.stackadapt.rules.outcomes import REASONS, SUPPRESSED_PERSON
from emulator.stackadapt.rules.providers import provider_key
from emulator.stackadapt.rules.values import plain_properties
from emulator.stackadapt.tables import PROFILES
from emulator.store import STACKADAPT_LOCK
from emulator.stored_values import NOT_SHOWN, StoredValues, check_depth, text_of
from emulator.timestamps import to_millis

PROFILES_AT_ONCE = 1_000
PROBLEMS_SHOWN = 1_000

# The value of the schema's enum `Source` for profiles that no connection sent.
_SOURCE = "USER_UPLOADED"

JsonObject = dict[str, Any]


@dataclass(slots=True)
class Import:
    """The result of an import: lines read, imported and rejected, the first errors and the first warnings."""

    read: int = 0
    imported: int = 0
    rejected: int = 0
    errors: list[JsonObject] = field(default_factory=list)
    warnings: list[JsonObject] = field(default_factory=list)

    def reject(self, line: int, problem: Problem) -> None:
        """Counts a line that was left out."""
        self.rejected += 1
        self.errors.append(_problem(line, problem))

    def accept(self, line: int, problems: Sequence[Problem]) -> None:
        """Counts a line that was imported, perhaps without some of its values."""
        self.imported += 1
        self.warnings += [_problem(line, problem) for problem in problems]

    def close_part(self) -> None:
        """Keeps the first problems by line; within a part they are unordered."""
        for problems in (self.errors, self.warnings):
            problems.sort(key=lambda problem: problem["line"])
            del problems[PROBLEMS_SHOWN:]

    def as_dict(self) -> JsonObject:
        """The JSON form."""
        return asdict(self)


def export_profiles(sandbox: Sandbox, name: str, advertiser_id: str | None) -> Iterator[str]:
    """The visible profiles as lines of text, oldest first, read page by page while they are consumed.

    Raises InputError, before the first line, for an unknown format or advertiser.
    """
    _check(sandbox, name, advertiser_id)
    profiles = _profiles(sandbox, advertiser_id)
    if name == "jsonl":
        return as_json_lines(profiles)
    keys, complete = set(), True
    for profile in profiles:
        keys |= profile[PROPERTIES].keys()
        complete = complete and NOT_SHOWN not in profile
    return as_csv(_profiles(sandbox, advertiser_id), sorted(keys), with_notes=not complete)


def import_profiles(sandbox: Sandbox, file: IO[bytes], name: str, advertiser_id: str | None) -> Import:
    """Imports profiles, all in one transaction. `advertiser_id` applies to lines that name none.

    A bad line is counted and left out. Raises InputError, and imports nothing, for an unknown format or advertiser and
    for a file that cannot be read to its end.
    """
    _check(sandbox, name, advertiser_id)
    result = Import()
    lines = read_lines(file, name)
    with sandbox.store.begin(locks=STACKADAPT_LOCK) as connection:
        while part := list(islice(lines, PROFILES_AT_ONCE)):
            for owner, profiles in _by_advertiser(sandbox, part, advertiser_id, result).items():
                _import(connection, owner, profiles, sandbox, result)
            result.close_part()
    return result


def _check(sandbox: Sandbox, name: str, advertiser_id: str | None) -> None:
    check_format(name)
    known = [advertiser.id for advertiser in sandbox.workspace.advertisers]
    if advertiser_id is not None and advertiser_id not in known:
        raise unknown("advertiser", advertiser_id, known, where="advertiserId")


def _by_advertiser(
    sandbox: Sandbox, lines: Iterable[Line], advertiser_id: str | None, result: Import
) -> dict[str, list[tuple[int, JsonObject]]]:
    advertisers = [advertiser.id for advertiser in sandbox.workspace.advertisers]
    found: dict[str, list[tuple[int, JsonObject]]] = defaultdict(list)
    for number, profile in lines:
        result.read += 1
        if isinstance(profile, BadLine):
            result.reject(number, Problem(UNREADABLE_LINE, str(profile)))
            continue
        owner = profile.get("advertiserId", advertiser_id)
        if owner in advertisers:
            found[owner].append((number, profile))
        else:
            message = f"Unknown advertiser {owner!r}." if owner else "The line names no advertiser."
            result.reject(number, Problem("UNKNOWN_ADVERTISER", message, "advertiserId"))
    return found


def _import(
    connection: Connection,
    advertiser_id: str,
    profiles: Sequence[tuple[int, JsonObject]],
    sandbox: Sandbox,
    result: Import,
) -> None:
    types, now = declared_types(connection, advertiser_id), to_millis(sandbox.clock.now())
    parsed: list[tuple[int, ImportedProfile]] = []
    for number, profile in profiles:
        read = read_profile(profile, types)
        if isinstance(read, Problem):
            result.reject(number, read)
        else:
            parsed.append((number, read))
    accepted = []
    batch = ProfileBatch(connection, advertiser_id=advertiser_id, provider="", now=now)
    batch.load(each.record for _, each in parsed)
    for number, each in parsed:
        if batch.suppresses(each.record.email):
            result.reject(number, Problem(SUPPRESSED_PERSON, REASONS[SUPPRESSED_PERSON]))
            continue
        state = batch.apply(each.record, None)
        state.marketing_status = each.status_after(state.marketing_status)
        accepted.append(each)
        result.accept(number, each.problems)
    batch.flush(source=_SOURCE, mapping_id=0)
    _import_identities(connection, advertiser_id, accepted, sandbox)


def _import_identities(
    connection: Connection, advertiser_id: str, imported: Sequence[ImportedProfile], sandbox: Sandbox
) -> None:
    now, shared = to_millis(sandbox.clock.now()), sandbox.workspace.ingestion.shared_external_id
    by_provider = defaultdict(list)
    for profile in imported:
        for provider, record in profile.identities:
            by_provider[provider_key(provider)].append(record)
    for provider, records in by_provider.items():
        batch = ProfileBatch(connection, advertiser_id=advertiser_id, provider=provider, now=now, shared=shared)
        batch.load(records)
        for record in records:
            batch.apply(record, None)
        batch.flush(source=_SOURCE, mapping_id=0)


def _profiles(sandbox: Sandbox, advertiser_id: str | None) -> Iterator[JsonObject]:
    last = 0
    while True:
        # A page is a transaction: a slow reader must not block others.
        with sandbox.store.begin(locks=STACKADAPT_LOCK) as connection:
            page = _page(connection, advertiser_id, last)
        if not page:
            return
        yield from page.values()
        last = max(page)


def _page(connection: Connection, advertiser_id: str | None, after: int) -> dict[int, JsonObject]:
    """The next profiles by id."""
    query = select(PROFILES).where(PROFILES.c.id > after).order_by(PROFILES.c.id).limit(PROFILES_AT_ONCE)
    if advertiser_id is not None:
        query = query.where(PROFILES.c.advertiser_id == advertiser_id)
    rows = connection.execute(query).all()
    ids = [row.id for row in rows]
    external_ids, audiences = external_ids_of(connection, ids), audiences_of(connection, ids)
    return {row.id: _exported(row, external_ids[row.id], audiences[row.id]) for row in rows}


def _exported(row: Row[Any], external_ids: Sequence[Any], audiences: Sequence[Any]) -> JsonObject:
    """A profile as `file_formats` describes it; of a damaged one what could be read, with `notShown`."""
    stored = StoredValues()

    def properties() -> JsonObject:
        check_depth(row.properties)
        return plain_properties(row.properties)

    return stored.shown(
        {
            ADVERTISER_ID: stored.text(ADVERTISER_ID, row.advertiser_id),
            EMAIL: stored.text(EMAIL, row.email),
            MARKETING_STATUS: stored.text(MARKETING_STATUS, row.marketing_status),
            EXTERNAL_IDS: stored.read(EXTERNAL_IDS, lambda: _identities(external_ids, id="external_id"), []),
            AUDIENCES: stored.read(AUDIENCES, lambda: _identities(audiences, id="external_id", name="name"), []),
            PROPERTIES: stored.read(PROPERTIES, properties, {}),
        }
    )


def _identities(rows: Sequence[Any], **columns: str) -> list[JsonObject]:
    """The provider of each row, and other texts by the columns that have them."""
    named = {"provider": "provider", **columns}
    return [{key: text_of(getattr(row, column)) for key, column in named.items()} for row in rows]


def _problem(line: int, problem: Problem) -> JsonObject:
    shown = {"line": line, "reason": problem.reason, "message": problem.message}
    return shown | ({"key": problem.key} if problem.key else {})
