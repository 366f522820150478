"""From a parsed request to its response: rate limit, faults, validation, execution.

The whole document runs in one transaction. Due jobs are applied before and after it, and an unexpected failure writes
nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Self

from graphql import DocumentNode, ExecutionResult, GraphQLError, execute_sync
from graphql.error import GraphQLSyntaxError
from sqlalchemy import Connection

from emulator.errors import NotFound
from emulator.events import RecordProcessed
from emulator.faults import Definition, FaultedResponse, FaultMatch, Match, RequestSummary, Status
from emulator.pipelines import begin_pipeline
from emulator.sandbox import Sandbox
from emulator.stackadapt import messages
from emulator.stackadapt.advertisers import Advertisers
from emulator.stackadapt.graphql.argument_errors import reworded
from emulator.stackadapt.graphql.context import RequestContext
from emulator.stackadapt.graphql.error_format import GraphQLJSError, formatted
from emulator.stackadapt.graphql.request import GraphQLParams, ParsedRequest, parse_request, parse_shaped
from emulator.stackadapt.graphql.schema import executable_schema, members_of
from emulator.stackadapt.graphql.shapes import shapes_of
from emulator.stackadapt.graphql.validation import validation_errors
from emulator.stackadapt.graphql.variables import variable_errors
from emulator.stackadapt.ingestion.apply import apply_due_jobs, apply_jobs
from emulator.stackadapt.ingestion.jobs import Arrival, DocumentJobs, latency_of
from emulator.stackadapt.ingestion.upload_targets import UploadPlaces
from emulator.stackadapt.limits import Limits
from emulator.store import STACKADAPT_LOCK
from emulator.store_failures import StoreFailure
from emulator.timestamps import to_millis
from emulator.workspace import Token

# The journal's name for the rate limit, beside the names of faults.
RATE_LIMIT: Final = "rateLimit"

_LOG = logging.getLogger(__name__)


class UnexpectedFailure(Exception):
    """A resolver raised an exception that is not an error of its input."""


class _ErrorWithoutPlace(Exception):
    """A document with a shape met an error: the response must name its place, so the document runs again as written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphQLRequest:
    """A request whose body and token were accepted.

    `strict` requests status 400 also for a document with a syntax error or one that the schema does not allow. `fault`
    came with the request and applies to it alone. `host_url` is the address that it was sent to.
    """

    params: GraphQLParams
    token: Token
    trace_id: str
    strict: bool = False
    fault: Definition | None = None
    host_url: str = "http://127.0.0.1/"


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphQLResponse:
    """An HTTP status and a JSON body, or the response of a fault that replaces them.

    `summary` is of the request; `faults` are those that matched it and still have to act on the response. `processed`
    are the records that were processed meanwhile, for the journal: what was written need not be on disk before.
    """

    status: int
    body: Mapping[str, Any]
    summary: RequestSummary = field(default_factory=RequestSummary)
    faults: FaultMatch = field(default_factory=FaultMatch)
    replacement: FaultedResponse | None = None
    processed: Sequence[RecordProcessed] = ()

    @classmethod
    def error(cls, status: int, message: str, *, trace_id: str | None = None, emulator: bool = False) -> Self:
        """One error that has no place in the document."""
        extensions = ({"traceId": trace_id} if trace_id else {}) | ({"emulator": True} if emulator else {})
        error = {"message": message} | ({"extensions": extensions} if extensions else {})
        return cls(status=status, body={"errors": [error]})


# Its status and body are never sent.
_NOT_EXECUTED: Final = GraphQLResponse(status=500, body={})


class Executor:
    """Runs documents in one sandbox with one API version of the schema. `uploads` is the folder of files to upload."""

    def __init__(self, sandbox: Sandbox, *, api_version: str, limits: Limits, uploads: Path | None) -> None:
        self._sandbox = sandbox
        self._limits = limits
        self._uploads = uploads
        self._started_at = sandbox.opened_at
        self._schema = executable_schema(api_version)
        self._shapes = shapes_of(api_version, limits)
        self.sources = members_of(self._schema, "Source")
        self._property_types = members_of(self._schema, "ProfilePropertyData")

    @property
    def operations(self) -> tuple[str, ...]:
        """The root fields of the schema, queries first."""
        roots = (self._schema.query_type, self._schema.mutation_type)
        return tuple(name for root in roots if root is not None for name in root.fields)

    def run(self, request: GraphQLRequest) -> GraphQLResponse:
        """The response. Raises NotFound when the sandbox was closed, StoreFailure when its data cannot be used."""
        parsed = parse_shaped(request.params, self._shapes) or parse_request(request.params, self._limits)
        faults = self._match_faults(request, parsed.summary)
        replacement = faults.on_request()
        response = self._respond(request, parsed, faults) if replacement is None else _NOT_EXECUTED
        return replace(response, summary=parsed.summary, faults=faults, replacement=replacement)

    def _match_faults(self, request: GraphQLRequest, summary: RequestSummary) -> FaultMatch:
        """The matching faults; the rate limit alone when it refuses the request."""
        wait = self._sandbox.rate_limiter.take(request.token.secret)
        if wait is None:
            return self._sandbox.faults.match(summary, trace_id=request.trace_id, once=request.fault)
        refusal = Definition(fault=Status(status=429, retry_after=wait), match=Match())
        return FaultMatch(request.trace_id, (refusal,), label=RATE_LIMIT)

    def _respond(self, request: GraphQLRequest, parsed: ParsedRequest, faults: FaultMatch) -> GraphQLResponse:
        shape = parsed.shape
        if shape is not None:
            if not variable_errors(self._schema, shape.written, request.params.variables):
                try:
                    return self._execute(request, parsed, shape.document, faults)
                except _ErrorWithoutPlace:
                    pass
            # An error has its place in the text, which a shape does not know.
            parsed = parse_request(request.params, self._limits)
        document, operation = parsed.document, parsed.operation
        if document is None or operation is None:
            negotiable = isinstance(parsed.error, GraphQLSyntaxError) and not request.strict
            return _refused([parsed.error] if parsed.error else [], 200 if negotiable else 400)
        invalid = validation_errors(self._schema, document)
        if invalid:
            return _refused(invalid, 400 if request.strict else 200)
        if self._schema.get_root_type(operation.operation) is None:
            return _refused([GraphQLJSError(messages.NO_SUBSCRIPTIONS, operation)], 200)
        wrong = variable_errors(self._schema, operation, request.params.variables)
        return _refused(wrong, 400) if wrong else self._execute(request, parsed, document, faults)

    def _execute(
        self, request: GraphQLRequest, parsed: ParsedRequest, document: DocumentNode, faults: FaultMatch
    ) -> GraphQLResponse:
        """Runs a valid document. Raises _ErrorWithoutPlace, with nothing written, for an error in one with a shape."""
        processed: list[RecordProcessed] = []
        try:
            with self._sandbox.store.begin(locks=STACKADAPT_LOCK, synced=False) as connection:
                begin_pipeline(connection)
                context = self._context(connection, request, parsed, faults)
                processed += apply_due_jobs(connection, context.arrival.received_at)
                result = self._result(request, parsed, document, context)
                processed += apply_jobs(connection, context.jobs.take_due())
        except (NotFound, StoreFailure, _ErrorWithoutPlace):
            raise
        except Exception as error:  # noqa: BLE001 - the client gets a masked error, the log the real one
            _LOG.exception("request %s failed", request.trace_id, exc_info=error)
            return GraphQLResponse.error(500, messages.UNEXPECTED_FAILURE, trace_id=request.trace_id)
        body: dict[str, Any] = {"data": result.data}
        if result.errors:
            body["errors"] = [formatted(error) for error in reworded(result.errors, document)]
        return GraphQLResponse(status=200, body=body, processed=processed)

    def _result(
        self, request: GraphQLRequest, parsed: ParsedRequest, document: DocumentNode, context: RequestContext
    ) -> ExecutionResult:
        if parsed.shape is not None and parsed.shape.plan is not None:
            try:
                return ExecutionResult(parsed.shape.plan.run(context, parsed.variables))
            except NotFound:
                raise
            except Exception as error:
                raise _ErrorWithoutPlace from error
        result = execute_sync(
            self._schema,
            document,
            context_value=context,
            variable_values=dict(parsed.variables),
            operation_name=request.params.operation_name,
        )
        if result.errors and parsed.shape is not None:
            raise _ErrorWithoutPlace
        _raise_unexpected(result.errors)
        return result

    def _context(
        self, connection: Connection, request: GraphQLRequest, parsed: ParsedRequest, faults: FaultMatch
    ) -> RequestContext:
        now, workspace = self._sandbox.clock.now(), self._sandbox.workspace
        due_at = now + latency_of(workspace.latency, self._sandbox.ids, request.trace_id)
        arrival = Arrival(request_id=request.trace_id, received_at=to_millis(now), due_at=to_millis(due_at))
        base_url = f"{request.host_url}uploads/{self._sandbox.name}/"
        return RequestContext(
            workspace=workspace,
            advertisers=Advertisers(connection, workspace),
            token=request.token,
            limits=self._limits,
            jobs=DocumentJobs(connection, arrival),
            sources=self.sources,
            property_types=self._property_types,
            started_at=self._started_at,
            uploads=UploadPlaces(folder=self._uploads, base_url=base_url),
            decoded=parsed.decoded,
            faults=faults,
        )


def _refused(errors: Sequence[GraphQLError], status: int) -> GraphQLResponse:
    """A request that cannot run. The gateway's family has 200 for some of them and a client that accepts JSON."""
    return GraphQLResponse(status=status, body={"errors": [formatted(error) for error in errors]})


def _raise_unexpected(errors: list[GraphQLError] | None) -> None:
    for error in errors or ():
        original = error.original_error
        if original is not None and not isinstance(original, GraphQLError):
            raise UnexpectedFailure(str(error.path)) from original
