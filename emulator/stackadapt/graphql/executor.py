"""From the text of a request to its answer: rate limit, faults, validation, execution, settling.

The whole document runs in one transaction: what is due is settled before and after, and an unexpected failure writes
nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from graphql import DocumentNode, GraphQLError, GraphQLSchema, execute_sync, validate
from sqlalchemy import Connection

from emulator.errors import NotFound
from emulator.events import RecordProcessed
from emulator.faults import Definition, FaultMatch, RequestSummary
from emulator.faults.effect import Effect
from emulator.faults.status import status_answer
from emulator.sandbox import Sandbox
from emulator.stackadapt import messages
from emulator.stackadapt.advertisers import Advertisers
from emulator.stackadapt.graphql.context import RequestContext
from emulator.stackadapt.graphql.document import DocumentTooLarge, check_size, chosen_operation, parse_document
from emulator.stackadapt.graphql.error_format import formatted
from emulator.stackadapt.graphql.request_body import GraphQLParams
from emulator.stackadapt.graphql.request_contents import contents_of, summary_of
from emulator.stackadapt.graphql.schema import executable_schema, members_of
from emulator.stackadapt.ingestion.apply import apply_due_jobs
from emulator.stackadapt.ingestion.jobs import Arrival, latency_of
from emulator.stackadapt.ingestion.upload_targets import UploadPlaces
from emulator.stackadapt.limits import Limits
from emulator.timestamps import to_millis
from emulator.workspace import Token

GRAPHQL_RESPONSE: Final = "application/graphql-response+json"
# What the journal writes beside the names of faults when the rate limit answered.
RATE_LIMIT: Final = "rateLimit"

_LOG = logging.getLogger(__name__)


class UnexpectedFailure(Exception):
    """A resolver failed in a way that nobody foresaw."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An HTTP status and a JSON body, what was asked, and what faults do to the answer on its way."""

    status: int
    body: Mapping[str, Any]
    asked: RequestSummary = field(default_factory=RequestSummary)
    match: FaultMatch = field(default_factory=FaultMatch)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request whose body and token were accepted. `strict` asks for status 400 on a document that cannot run.

    `fault` came with the request and counts for it alone. `uploads` says where files come from.
    """

    params: GraphQLParams
    token: Token
    trace_id: str
    strict: bool
    fault: Definition | None = None
    uploads: UploadPlaces = field(default_factory=UploadPlaces)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """A document and what it asks for, or why there is none."""

    document: DocumentNode | None = None
    error: GraphQLError | None = None
    asked: RequestSummary = field(default_factory=RequestSummary)


# Stands where a fault answers, or nobody does.
_UNSEEN: Final = Reply(status=500, body={})


def error_body(message: str, *, trace_id: str | None = None, emulator: bool = False) -> dict[str, Any]:
    """The envelope of an error that has no place in a document."""
    extensions: dict[str, Any] = {}
    if trace_id is not None:
        extensions["traceId"] = trace_id
    if emulator:
        extensions["emulator"] = True
    return {"errors": [{"message": message, **({"extensions": extensions} if extensions else {})}]}


class Executor:
    """Runs documents against one sandbox under one API version of the schema."""

    def __init__(self, sandbox: Sandbox, *, api_version: str, limits: Limits, started_at: datetime) -> None:
        self._sandbox = sandbox
        self._limits = limits
        self._started_at = started_at
        self._schema: GraphQLSchema = executable_schema(api_version)
        self._sources = members_of(self._schema, "Source")
        self._property_types = members_of(self._schema, "ProfilePropertyData")

    @property
    def operations(self) -> tuple[str, ...]:
        """The root fields of the schema, queries first."""
        roots = (self._schema.query_type, self._schema.mutation_type)
        return tuple(name for root in roots if root is not None for name in root.fields)

    def run(self, request: Request) -> Reply:
        """Answers a request. Never raises for what a request holds; raises NotFound when the sandbox was closed."""
        reading = self._read(request)
        match = self._strike(request, reading.asked)
        return replace(self._answered(request, reading, match.effect), asked=reading.asked, match=match)

    def _read(self, request: Request) -> _Reading:
        try:
            document = parse_document(request.params.query, self._limits)
            check_size(document, self._limits)
        except GraphQLError as error:
            return _Reading(error=error)
        operation = chosen_operation(document, request.params.operation_name)
        if isinstance(operation, GraphQLError):
            return _Reading(error=operation)
        carried = contents_of(document, operation, request.params.variables)
        return _Reading(document=document, asked=summary_of(operation, carried))

    def _strike(self, request: Request, asked: RequestSummary) -> FaultMatch:
        """The rate limit, and if there are permits left, the faults."""
        wait = self._sandbox.rate_limiter.take(request.token.secret)
        if wait is None:
            return self._sandbox.faults.match(asked, trace_id=request.trace_id, once=request.fault)
        return FaultMatch((RATE_LIMIT,), Effect(instead=status_answer(429, request.trace_id, retry_after=wait)))

    def _answered(self, request: Request, reading: _Reading, effect: Effect) -> Reply:
        if effect.instead is not None or (effect.no_answer is not None and not effect.no_answer.applied):
            return _UNSEEN
        if reading.document is None or reading.error is not None:
            strict = request.strict or isinstance(reading.error, DocumentTooLarge)
            return self._refused([reading.error] if reading.error else [], strict=strict)
        errors = validate(self._schema, reading.document)
        if errors:
            return self._refused(errors, strict=request.strict)
        return self._execute(request, reading.document, effect)

    def _execute(
        self,
        request: Request,
        document: DocumentNode,
        effect: Effect,
    ) -> Reply:
        settled: list[RecordProcessed] = []
        try:
            with self._sandbox.store.begin() as connection:
                context = self._context(connection, request, effect)
                settled += apply_due_jobs(connection, context.arrival.received_at)
                result = execute_sync(
                    self._schema,
                    document,
                    context_value=context,
                    variable_values=dict(request.params.variables),
                    operation_name=request.params.operation_name,
                )
                _raise_unexpected(result.errors)
                settled += apply_due_jobs(connection, context.arrival.received_at)
        except NotFound:
            raise
        except Exception as error:  # noqa: BLE001 - the caller gets the masked answer, the log the truth
            _LOG.exception("request %s failed", request.trace_id, exc_info=error)
            failure = error_body(messages.UNEXPECTED_FAILURE, trace_id=request.trace_id)
            return Reply(status=500, body=failure)
        for event in settled:
            self._sandbox.journal.append(event)
        errors = result.errors or []
        if result.data is None and not any(error.path for error in errors):
            # Variables that do not fit: nothing was executed.
            return self._refused(errors, strict=request.strict)
        body: dict[str, Any] = {"data": result.data}
        if errors:
            body["errors"] = [formatted(error, self._schema) for error in errors]
        return Reply(status=200, body=body)

    def _context(self, connection: Connection, request: Request, effect: Effect) -> RequestContext:
        now = self._sandbox.clock.now()
        ingestion = self._sandbox.workspace.ingestion
        due_at = now + latency_of(ingestion.latency, self._sandbox.ids, request.trace_id)
        return RequestContext(
            connection=connection,
            workspace=self._sandbox.workspace,
            advertisers=Advertisers(connection, self._sandbox.workspace),
            token=request.token,
            limits=self._limits,
            arrival=Arrival(request_id=request.trace_id, received_at=to_millis(now), due_at=to_millis(due_at)),
            sources=self._sources,
            property_types=self._property_types,
            started_at=self._started_at,
            uploads=request.uploads,
            effect=effect,
        )

    def _refused(self, errors: list[GraphQLError], *, strict: bool) -> Reply:
        """A document that cannot run: status 200 for a plain JSON client, as the gateway's family answers."""
        body = {"errors": [formatted(error, self._schema) for error in errors]}
        return Reply(status=400 if strict else 200, body=body)


def _raise_unexpected(errors: list[GraphQLError] | None) -> None:
    for error in errors or ():
        original = error.original_error
        if original is not None and not isinstance(original, GraphQLError):
            raise UnexpectedFailure(str(error.path)) from original
