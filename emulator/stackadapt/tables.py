"""The tables of the StackAdapt service. Timestamps are milliseconds since 1970; ids count up from 1.

A profile's properties are one JSON object with keys `<kind>:<percent-encoded property key>`; the kind (`text`,
`number`, `boolean`, `list`) is how the value was read. A property has one kind at a time. `PROFILE_LIST_ITEMS` repeats
the items of lists, so that SQL can find one of them.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    select,
    union_all,
)

from emulator.column_rules import OBJECT, STRINGS, holds
from emulator.stackadapt.row_contents import (
    COLUMNS,
    JOB_KINDS,
    MAPPING_KINDS,
    MARKETING_STATUSES,
    OUTCOMES,
    PROPERTIES,
    USER_METADATA,
    WARNINGS,
)

STACKADAPT = MetaData()

# SQLite keeps the rows of such a table in the index of the primary key, once instead of twice.
_BY_KEY: Any = {"sqlite_with_rowid": False}

PROFILES = Table(
    "sa_profiles",
    STACKADAPT,
    Column("id", Integer, primary_key=True),
    Column("advertiser_id", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("marketing_status", Text, nullable=False, info=holds(words=MARKETING_STATUSES)),
    Column("properties", JSON, nullable=False, info=holds(json=PROPERTIES)),
    Column("visible_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Index("sa_profiles_identity", "advertiser_id", "email", unique=True),
    Index("sa_profiles_pages", "advertiser_id", "id"),
    sqlite_autoincrement=True,
)

# What can be counted again at any time, and is therefore not part of a snapshot.
DERIVED = MetaData()

# How many profiles an advertiser has: every page of profiles says so.
PROFILE_COUNTS = Table(
    "sa_profile_counts",
    DERIVED,
    Column("advertiser_id", Text, primary_key=True),
    Column("number", BigInteger, nullable=False),
)

PROFILE_LIST_ITEMS = Table(
    "sa_profile_list_items",
    STACKADAPT,
    Column("profile_id", Integer, ForeignKey("sa_profiles.id"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    **_BY_KEY,
)

EXTERNAL_IDS = Table(
    "sa_external_ids",
    STACKADAPT,
    Column("advertiser_id", Text, primary_key=True),
    Column("provider", Text, primary_key=True),
    Column("external_id", Text, primary_key=True),
    Column("profile_id", Integer, ForeignKey("sa_profiles.id"), nullable=False, index=True),
    **_BY_KEY,
)

# Profiles that came with an external id that another profile has. `has` is whether they have it as well.
SHARED_EXTERNAL_IDS = Table(
    "sa_shared_external_ids",
    STACKADAPT,
    Column("advertiser_id", Text, primary_key=True),
    Column("provider", Text, primary_key=True),
    Column("external_id", Text, primary_key=True),
    Column("profile_id", Integer, ForeignKey("sa_profiles.id"), primary_key=True, index=True),
    Column("has", Boolean, nullable=False),
    **_BY_KEY,
)

_HELD = tuple(column.name for column in EXTERNAL_IDS.c)
# Every external id that a profile has, as rows of `EXTERNAL_IDS`.
HELD_EXTERNAL_IDS = union_all(
    select(*(EXTERNAL_IDS.c[name] for name in _HELD)),
    select(*(SHARED_EXTERNAL_IDS.c[name] for name in _HELD)).where(SHARED_EXTERNAL_IDS.c.has),
)

# The connections that sent a profile. `mapping_id` is 0 for a source without a mapping.
PROFILE_INTEGRATIONS = Table(
    "sa_profile_integrations",
    STACKADAPT,
    Column("profile_id", Integer, ForeignKey("sa_profiles.id"), primary_key=True),
    Column("source", Text, primary_key=True, info=holds(enum="Source")),
    Column("mapping_id", Integer, primary_key=True, info=holds(refers_to="sa_mappings.id")),
    **_BY_KEY,
)

EXTERNAL_AUDIENCES = Table(
    "sa_external_audiences",
    STACKADAPT,
    Column("id", Integer, primary_key=True),
    Column("advertiser_id", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Index("sa_external_audiences_identity", "advertiser_id", "provider", "external_id", unique=True),
)

# An exit leaves an inactive row.
MEMBERSHIPS = Table(
    "sa_memberships",
    STACKADAPT,
    Column("profile_id", Integer, ForeignKey("sa_profiles.id"), primary_key=True),
    Column("audience_id", Integer, ForeignKey("sa_external_audiences.id"), primary_key=True),
    Column("active", Boolean, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Index("sa_memberships_members", "audience_id", "active", "profile_id"),
    **_BY_KEY,
)

SUPPRESSIONS = Table(
    "sa_suppressions",
    STACKADAPT,
    Column("advertiser_id", Text, primary_key=True),
    Column("email", Text, primary_key=True),
    Column("since", BigInteger, nullable=False),
)

# What each id or email of a deletion request led to. `email` is null for an external id that no profile had. `kept` are
# the emails of profiles that came with the external id, do not have it and were not deleted.
DELETIONS = Table(
    "sa_deletions",
    STACKADAPT,
    Column("id", Integer, primary_key=True),
    Column("request_id", Text, nullable=False),
    Column("advertiser_id", Text, nullable=False),
    Column("provider", Text),
    Column("external_id", Text),
    Column("email", Text),
    Column("deleted", Boolean, nullable=False),
    Column("kept", JSON, nullable=False, info=holds(json=STRINGS)),
    Column("suppressed", Boolean, nullable=False),
    Column("at", BigInteger, nullable=False),
    Index("sa_deletions_advertiser", "advertiser_id"),
)

# Advertisers that a token changed or created; `made_by` is the name of the token that created one.
ADVERTISERS = Table(
    "sa_advertisers",
    STACKADAPT,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("description", Text),
    Column("domain_exclusions", JSON(none_as_null=True), info=holds(json=STRINGS)),
    Column("is_inventory_packages_strict", Boolean),
    Column("user_metadata", JSON(none_as_null=True), info=holds(json=USER_METADATA)),
    Column("is_archived", Boolean, nullable=False),
    Column("made_by", Text),
)

PROFILE_LISTS = Table(
    "sa_profile_lists",
    STACKADAPT,
    Column("id", Integer, primary_key=True),
    Column("advertiser_id", Text, nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)

# By email: an address can be on a list before it has a profile.
LIST_MEMBERS = Table(
    "sa_list_members",
    STACKADAPT,
    Column("list_id", Integer, ForeignKey("sa_profile_lists.id"), primary_key=True),
    Column("email", Text, primary_key=True),
    Index("sa_list_members_email", "email"),
    **_BY_KEY,
)

# The connections that put profiles on a list.
LIST_INTEGRATIONS = Table(
    "sa_list_integrations",
    STACKADAPT,
    Column("list_id", Integer, ForeignKey("sa_profile_lists.id"), primary_key=True),
    Column("source", Text, primary_key=True, info=holds(enum="Source")),
    Column("mapping_id", Integer, primary_key=True, info=holds(refers_to="sa_mappings.id")),
    **_BY_KEY,
)

# `mapping_schema`, `is_opted_in` and `list_id` are the active ones, once `in_force` is true; `requested_…` are those of
# the newest mutation.
MAPPINGS = Table(
    "sa_mappings",
    STACKADAPT,
    Column("id", Integer, primary_key=True),
    Column("advertiser_id", Text, nullable=False),
    Column("kind", Text, nullable=False, info=holds(words=MAPPING_KINDS)),
    Column("type_key", Text, nullable=False),
    Column("mappable_id", Text, nullable=False),
    Column("mappable_type", Text),
    Column("mapping_schema", JSON, nullable=False, info=holds(json=COLUMNS)),
    Column("is_opted_in", Boolean),
    Column("list_id", Integer),
    Column("in_force", Boolean, nullable=False),
    Column("requested_schema", JSON, nullable=False, info=holds(json=COLUMNS)),
    Column("requested_is_opted_in", Boolean),
    Column("requested_list_id", Integer),
    Index("sa_mappings_identity", "advertiser_id", "kind", "type_key", "mappable_id", unique=True),
)

# Activations that changed the keys that a mapping names.
MAPPING_VERSIONS = Table(
    "sa_mapping_versions",
    STACKADAPT,
    Column("id", Integer, primary_key=True),
    Column("mapping_id", Integer, ForeignKey("sa_mappings.id"), nullable=False, index=True),
    Column("advertiser_id", Text, nullable=False),
    Column("type_key", Text, nullable=False),
    Column("incoming_keys", JSON, nullable=False, info=holds(json=STRINGS)),
    Column("active_since", BigInteger, nullable=False),
    Index("sa_mapping_versions_owner", "advertiser_id", "type_key"),
    sqlite_autoincrement=True,
)

# The work of accepted mutations. A job is deleted once it is done.
JOBS = Table(
    "sa_jobs",
    STACKADAPT,
    Column("id", Integer, primary_key=True),
    Column("kind", Text, nullable=False, info=holds(words=JOB_KINDS)),
    Column("advertiser_id", Text, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("mapping_id", Integer, info=holds(refers_to="sa_mappings.id")),
    Column("instructions", JSON, nullable=False, info=holds(json=OBJECT)),
    Index("sa_jobs_due", "due_at"),
    Index("sa_jobs_advertiser", "advertiser_id", "due_at"),
)

# One `upsertProfiles`: what its records share.
BATCHES = Table(
    "sa_batches",
    STACKADAPT,
    Column("id", Integer, primary_key=True),
    Column("request_id", Text, nullable=False, index=True),
    Column("advertiser_id", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("source", Text, nullable=False, info=holds(enum="Source")),
    Column("sync_id", Text),
    Column("replay", Boolean, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Index("sa_batches_sync", "advertiser_id", "provider", "sync_id"),
)

RECORDS = Table(
    "sa_records",
    STACKADAPT,
    Column("id", Integer, primary_key=True),
    Column("batch_id", Integer, ForeignKey("sa_batches.id"), nullable=False, index=True),
    Column("position", Integer, nullable=False),
    Column("raw", Text, nullable=False, info=holds(json=OBJECT)),
    Column("outcome", Text, nullable=False, info=holds(words=OUTCOMES)),
    Column("reason", Text),
    Column("email", Text),
    Column("waits_for", Text),
    Column("warnings", JSON(none_as_null=True), info=holds(json=WARNINGS)),
    Column("settled_at", BigInteger),
    Index("sa_records_outcome", "outcome", "waits_for"),
)

# Uploads of profiles, as a file or inline. `failure` says why a file could not be read.
UPLOADS = Table(
    "sa_uploads",
    STACKADAPT,
    Column("id", Integer, primary_key=True),
    Column("advertiser_id", Text, nullable=False),
    Column("filename", Text, nullable=False),
    Column("batch_id", Integer, nullable=False, info=holds(refers_to="sa_batches.id")),
    Column("failure", Text),
    sqlite_autoincrement=True,
)

# Targets for file uploads, with the text of the file once it was sent. `key` is a secret.
UPLOAD_TARGETS = Table(
    "sa_upload_targets",
    STACKADAPT,
    Column("key", Text, primary_key=True),
    Column("filename", Text, nullable=False),
    Column("mime_type", Text, nullable=False),
    Column("resource_url", Text, nullable=False),
    Column("content", Text),
)

# Records with their batch.
RECORDS_OF_BATCHES = RECORDS.join(BATCHES, BATCHES.c.id == RECORDS.c.batch_id)

SEGMENTS = Table(
    "sa_segments",
    STACKADAPT,
    Column("id", Integer, primary_key=True),
    Column("advertiser_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("rule", JSON, nullable=False, info=holds(json=OBJECT)),
    Column("created_at", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)


def row_id(text: str) -> int | None:
    """The number in a GraphQL `ID`; None if it cannot be the id of a row."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    return number or None
