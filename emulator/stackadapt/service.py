"""`StackAdapt`: a GraphQL API that accepts profiles, and the profiles, records and segments of one sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from emulator.events import RecordProcessed
from emulator.sandbox import Sandbox
from emulator.stackadapt.graphql.executor import Executor, GraphQLRequest, GraphQLResponse
from emulator.stackadapt.graphql.schema import LATEST
from emulator.stackadapt.ingestion.apply import apply_due_jobs
from emulator.stackadapt.ingestion.jobs import any_due, next_due
from emulator.stackadapt.limits import Limits
from emulator.stackadapt.profile_counts import count_again
from emulator.stackadapt.profiles.list_queries import ListQueries
from emulator.stackadapt.profiles.property_queries import PropertyQueries
from emulator.stackadapt.profiles.queries import ProfileQueries
from emulator.stackadapt.profiles.record_ends import RecordEndQueries
from emulator.stackadapt.request_log import RequestLog
from emulator.stackadapt.segments.store import Segments
from emulator.stackadapt.tables import DERIVED, STACKADAPT
from emulator.store import STACKADAPT_LOCK
from emulator.timestamps import from_millis, to_millis
from emulator.workspace import Token


class StackAdapt:
    """The StackAdapt service of one sandbox.

    `api_version` names a schema under `contracts/stackadapt/`; `uploads` is the folder of the files that
    `createUserUploadedProfiles` may name, None for none. Every method that reads first applies the jobs that are due.
    Raises UnknownName for an unknown API version.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        *,
        api_version: str = LATEST,
        limits: Limits | None = None,
        uploads: Path | None = None,
    ) -> None:
        self.sandbox = sandbox
        self.limits = limits or Limits()
        self._executor = Executor(sandbox, api_version=api_version, limits=self.limits, uploads=uploads)
        sandbox.store.create(STACKADAPT)
        sandbox.store.create(DERIVED)
        self.segments = Segments(sandbox, self._up_to_date)
        queries = ProfileQueries(self._up_to_date)
        self.profiles = queries.profiles
        self.profile_page = queries.profile_page
        self.rejections = queries.rejections
        self.records = queries.records
        self.history = queries.history
        self.uploads = queries.uploads
        self.upload = queries.upload
        self.deletions = queries.deletions
        self.counts = queries.counts
        lists = ListQueries(self._up_to_date)
        self.lists = lists.lists
        self.profile_list = lists.profile_list
        self.properties = PropertyQueries(sandbox, self._executor.sources, self._up_to_date).properties
        self.record_ends = RecordEndQueries(self._up_to_date)
        self.request_log = RequestLog(sandbox, self.limits, self._executor.operations)

    def token(self, secret: str) -> Token | None:
        """The token with this secret, unless it has expired."""
        token = self.sandbox.workspace.token(secret)
        if token is None or token.expires_at is None:
            return token
        return token if self.sandbox.clock.now() < token.expires_at else None

    @property
    def operations(self) -> tuple[str, ...]:
        """The root fields of the schema, queries first."""
        return self._executor.operations

    def execute(self, request: GraphQLRequest) -> GraphQLResponse:
        """The response to a request whose body and token were accepted. Raises NotFound when the sandbox was closed."""
        return self._executor.run(request)

    def process_due(self) -> None:
        """Applies every job that is due."""
        store = self.sandbox.store
        # Each process asks every second: it must not wait for the others where nothing is due.
        if not store.shared or store.read(any_due(to_millis(self.sandbox.clock.now()))):
            with self._up_to_date():
                pass

    def next_job(self) -> datetime | None:
        """When the next job is due, if one is queued."""
        with self.sandbox.store.begin(locks=STACKADAPT_LOCK) as connection:
            at = next_due(connection)
        return None if at is None else from_millis(at)

    def reset(self) -> None:
        """Deletes profiles, mappings, segments and the queue."""
        self.sandbox.store.clear(STACKADAPT)
        self.sandbox.store.clear(DERIVED)

    def replaced(self, connection: Connection) -> None:
        """To be called in the transaction that has replaced all rows: brings up to date what is derived from them."""
        count_again(connection)

    @contextmanager
    def _up_to_date(self) -> Iterator[Connection]:
        """A transaction that begins by applying due jobs; the journal gets their events when it is committed."""
        processed: list[RecordProcessed] = []
        with self.sandbox.store.begin(locks=STACKADAPT_LOCK) as connection:
            processed += apply_due_jobs(connection, to_millis(self.sandbox.clock.now()))
            yield connection
        self.sandbox.journal.extend(processed)
