"""The tables of the Segment service. Timestamps are integers, in milliseconds since 1970; JSON is stored as text."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    event,
    literal_column,
    text,
)

from emulator.column_rules import LARGEST_COUNT, OBJECT, holds
from emulator.segment.event_contents import BATCH_OUTCOMES, DELIVERY_OUTCOMES, LOCATIONS, UPDATED

TABLES = MetaData()


def _partial(name: str, *columns: str, where: str) -> Index:
    """An index of some rows: others need not be written to it."""
    index = Index(name, *columns, sqlite_where=text(where))

    # As an argument, PostgreSQL's option would import its dialect at every start.
    @event.listens_for(index, "before_create")
    def set_option(target: Index, connection: Connection, **_: Any) -> None:
        if connection.dialect.name == "postgresql":
            target.dialect_options["postgresql"]["where"] = text(where)

    return index


# Message ids of the last 24 hours, for deduplication.
MESSAGES = Table(
    "segment_messages",
    TABLES,
    Column("message_id", String, primary_key=True),
    Column("received_at", BigInteger, nullable=False, index=True),
)

# Number of calls by source: accepted (empty reason), or failed on ingest by discard code.
INGEST = Table(
    "segment_ingest",
    TABLES,
    Column("source", String, primary_key=True),
    Column("reason", String, primary_key=True),
    Column("calls", BigInteger, nullable=False, info=holds(most=LARGEST_COUNT)),
)

# The user ids whose calls are dropped, and since when.
SUPPRESSED = Table(
    "segment_suppressed",
    TABLES,
    Column("user_id", String, primary_key=True),
    Column("at", BigInteger, nullable=False),
)

# The regulations that were carried out, as JSON.
REGULATIONS = Table(
    "segment_regulations",
    TABLES,
    Column("id", Integer, primary_key=True),
    Column("content", Text, nullable=False, info=holds(json=OBJECT)),
)

# `traits` is an object of values, `set_at` and `turn` the timestamp and the turn at which one was last set, `updated`
# an object of those of the traits that were set before, or removed. Ids are never reused: one may belong to a deleted
# user.
PROFILES = Table(
    "segment_profiles",
    TABLES,
    Column("id", Integer, primary_key=True),
    Column("traits", Text, nullable=False, info=holds(json=OBJECT)),
    Column("updated", Text, nullable=False, info=holds(json=UPDATED)),
    Column("set_at", BigInteger, nullable=False),
    Column("turn", BigInteger, nullable=False, index=True, info=holds(most=LARGEST_COUNT)),
    Column("created_at", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)

# Ids are in the order in which identifiers were added.
IDENTIFIERS = Table(
    "segment_identifiers",
    TABLES,
    Column("id", Integer, primary_key=True),
    Column("type", String, nullable=False),
    Column("value", String, nullable=False),
    Column("profile_id", ForeignKey(PROFILES.c.id), nullable=False, index=True),
    UniqueConstraint("type", "value"),
)

MEMBERSHIPS = Table(
    "segment_memberships",
    TABLES,
    Column("profile_id", ForeignKey(PROFILES.c.id), primary_key=True),
    Column("audience_key", String, primary_key=True, index=True),
    sqlite_with_rowid=False,
)

# The events that conditions refer to, with the properties that they refer to, kept as long as one may count them. Ids
# are in the order in which they came in, and never reused.
PERFORMED = Table(
    "segment_performed",
    TABLES,
    Column("id", Integer, primary_key=True),
    Column("profile_id", ForeignKey(PROFILES.c.id), nullable=False, index=True),
    Column("event", String, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("properties", Text, nullable=False, info=holds(json=OBJECT)),
    sqlite_autoincrement=True,
)

# The last event that came in before each audience without historical data was added, 0 for none.
AUDIENCE_STARTS = Table(
    "segment_audience_starts",
    TABLES,
    Column("audience_key", String, primary_key=True),
    Column("last_event", BigInteger, nullable=False),
)

# Progress in journeys: `step` is the position of the step joined last, -1 before the first.
JOURNEYS = Table(
    "segment_journeys",
    TABLES,
    Column("profile_id", ForeignKey(PROFILES.c.id), primary_key=True),
    Column("journey_id", String, primary_key=True),
    Column("epoch_id", String, nullable=False),
    Column("step", Integer, nullable=False, info=holds(least=-1)),
    Column("entered_at", BigInteger, nullable=False),
    Column("joined_at", BigInteger, nullable=False),
    Column("exited", Boolean, nullable=False),
    Column("context", Text, nullable=False, info=holds(json=OBJECT)),
    Index("segment_journeys_steps", "journey_id", "step"),
)

# When time alone may next change the audiences or journeys of a profile.
DUE = Table(
    "segment_due",
    TABLES,
    Column("profile_id", ForeignKey(PROFILES.c.id), primary_key=True),
    Column("at", BigInteger, nullable=False, index=True),
)

# One row: when the space started. Batch audiences are computed at intervals from then on.
SPACE_START = Table(
    "segment_space_start",
    TABLES,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
)

# What all events of a kind along a route share, in parts of JSON texts; each part stands before one of the content.
FORMS = Table(
    "segment_event_forms",
    TABLES,
    Column("id", Integer, primary_key=True),
    Column("digest", String, nullable=False, unique=True),
    Column("destination", String, nullable=False),
    Column("audience_key", String, nullable=False),
    Column("type", String, nullable=False),
    Column("event", String),
    Column("before_traits", Text, nullable=False),
    Column("before_email", Text, nullable=False),
    Column("before_identity", Text, nullable=False),
    Column("before_times", Text, nullable=False),
)

# What events say of a profile, in parts of JSON texts: its events of one call share it. `found_by_email` is in lower
# case; of a call with neither user id nor email it is the anonymous id.
CONTENTS = Table(
    "segment_event_contents",
    TABLES,
    Column("id", Integer, primary_key=True),
    Column("user_id", String, index=True),
    Column("found_by_email", String, index=True),
    Column("traits", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("identity", Text, nullable=False),
    Column("times", Text, nullable=False),
)

# Events that Engage emitted and calls of a source, one row per connected destination instance. `message_id` is escaped
# as in JSON.
EVENTS = Table(
    "segment_events",
    TABLES,
    Column("id", Integer, primary_key=True),
    Column("message_id", String, nullable=False, index=True),
    Column("form_id", ForeignKey(FORMS.c.id), nullable=False),
    Column("content_id", ForeignKey(CONTENTS.c.id), nullable=False, index=True),
)

# A request and its attempts. Body and headers are not stored: the same events make the same request again.
BATCHES = Table(
    "segment_batches",
    TABLES,
    Column("id", Integer, primary_key=True),
    Column("destination", String, nullable=False),
    Column("subscription", String, nullable=False),
    Column("outcome", String, nullable=False, index=True, info=holds(words=BATCH_OUTCOMES)),
    Column("reason", String),
    Column("message", Text),
    Column("locations", Text, nullable=False, info=holds(json=LOCATIONS)),
    Column("status", Integer),
    Column("response", Text),
    Column("trace_id", Text),
    Column("attempts", Integer, nullable=False),
    Column("first_at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Column("next_at", BigInteger, index=True),
)

# An event queued for one subscription; `outcome` is null until it is sent. `bytes` is the size of its payload.
DELIVERIES = Table(
    "segment_deliveries",
    TABLES,
    Column("id", Integer, primary_key=True),
    Column("event_id", ForeignKey(EVENTS.c.id), nullable=False, index=True),
    Column("bytes", Integer, nullable=False),
    Column("destination", String, nullable=False),
    Column("subscription", String, nullable=False),
    Column("outcome", String, info=holds(words=DELIVERY_OUTCOMES)),
    Column("reason", String),
    Column("message", Text),
    Column("batch_id", ForeignKey(BATCHES.c.id)),
    Column("queued_at", BigInteger, nullable=False),
    Column("settled_at", BigInteger),
    _partial("segment_deliveries_queue", "destination", "subscription", where="outcome IS NULL"),
    _partial("segment_deliveries_unsent", "outcome", where="outcome <> 'sent'"),
    _partial("segment_deliveries_batch", "batch_id", where="batch_id IS NOT NULL"),
)
# The condition that lets a query use the index of deliveries that were not sent.
UNSENT = DELIVERIES.c.outcome != literal_column("'sent'")
