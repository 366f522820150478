"""StackAdapt's side: a GraphQL API that takes profiles in, and what becomes of them.

`StackAdapt` is the public face; `emulator.stackadapt.http` puts it on the wire. Knows nothing of Segment.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection

from emulator.events import RecordProcessed
from emulator.faults import Definition
from emulator.sandbox import Sandbox
from emulator.stackadapt.graphql.executor import Executor, Reply, Request
from emulator.stackadapt.graphql.request_body import GraphQLParams
from emulator.stackadapt.graphql.schema import LATEST
from emulator.stackadapt.ingestion.apply import apply_due_jobs
from emulator.stackadapt.ingestion.upload_targets import UploadPlaces
from emulator.stackadapt.limits import Limits
from emulator.stackadapt.profiles.queries import ProfileQueries
from emulator.stackadapt.request_log.search import Exchanges
from emulator.stackadapt.segments.store import Segments
from emulator.stackadapt.tables import STACKADAPT
from emulator.timestamps import to_millis
from emulator.workspace import Token


class StackAdapt:
    """StackAdapt as one sandbox sees it.

    `api_version` names a schema under `contracts/stackadapt/`; `uploads` is the folder whose files
    `createUserUploadedProfiles` may name, None for none. Every reading method settles first what has become due.
    Raises InputError for an unknown API version.
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
        self._uploads = uploads
        self.limits = limits or Limits()
        self._executor = Executor(sandbox, api_version=api_version, limits=self.limits, started_at=sandbox.clock.now())
        sandbox.store.create(STACKADAPT)
        self.segments = Segments(sandbox, self._settled)
        queries = ProfileQueries(self._settled)
        self.profiles = queries.profiles
        self.rejections = queries.rejections
        self.records = queries.records
        self.counts = queries.counts
        self.exchanges = Exchanges(sandbox, self.limits, self._executor.operations)

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

    def execute(
        self,
        token: Token,
        params: GraphQLParams,
        *,
        trace_id: str,
        strict: bool = False,
        fault: Definition | None = None,
        host_url: str = "http://127.0.0.1/",
    ) -> Reply:
        """Answers a request whose body and token were accepted, for `http.py`. It came in under `host_url`.

        Raises NotFound when the sandbox was closed.
        """
        places = UploadPlaces(folder=self._uploads, base_url=f"{host_url}uploads/{self.sandbox.name}/")
        return self._executor.run(
            Request(params=params, token=token, trace_id=trace_id, strict=strict, fault=fault, uploads=places)
        )

    def settle(self) -> None:
        """Lets everything that has become due take effect."""
        with self._settled():
            pass

    def reset(self) -> None:
        """Forgets profiles, mappings, segments and whatever was queued."""
        self.sandbox.store.clear(STACKADAPT)

    @contextmanager
    def _settled(self) -> Iterator[Connection]:
        """A transaction in which everything due has been settled; the journal learns of it when it is committed."""
        settled: list[RecordProcessed] = []
        with self.sandbox.store.begin() as connection:
            settled += apply_due_jobs(connection, to_millis(self.sandbox.clock.now()))
            yield connection
        for event in settled:
            self.sandbox.journal.append(event)
