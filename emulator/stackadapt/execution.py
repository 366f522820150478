"""From the text of a request to its answer: authentication, faults, validation, execution, settling.

The whole document runs in one transaction: what is due is settled before and after, and an unexpected failure writes
nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

from graphql import DocumentNode, GraphQLError, GraphQLSchema, OperationDefinitionNode, execute_sync, validate
from sqlalchemy import Connection

from emulator.events import RecordSettled
from emulator.faults.fault import Fault
from emulator.faults.http_status import HttpStatus
from emulator.faults.user_errors import UserErrors
from emulator.sandbox import Sandbox
from emulator.stackadapt import messages
from emulator.stackadapt.body import GraphQLParams
from emulator.stackadapt.context import RequestContext
from emulator.stackadapt.document import DocumentTooLarge, check_size, parse_document, root_fields
from emulator.stackadapt.editions import executable_schema, members_of
from emulator.stackadapt.ingestion import settle
from emulator.stackadapt.jobs import Arrival
from emulator.stackadapt.limits import Limits
from emulator.stackadapt.moments import to_millis
from emulator.stackadapt.rules.latency import latency_of
from emulator.stackadapt.rules.user_errors import UserError
from emulator.stackadapt.wording import formatted
from emulator.workspace import Token

GRAPHQL_RESPONSE: Final = "application/graphql-response+json"

_LOG = logging.getLogger(__name__)


class UnexpectedFailure(Exception):
    """A resolver failed in a way that nobody foresaw."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An HTTP status and a JSON body. `operations` are the root fields, empty when the document was not read."""

    status: int
    body: Mapping[str, Any]
    operations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request whose body and token were accepted. `strict` asks for status 400 on a document that cannot run."""

    params: GraphQLParams
    token: Token
    trace_id: str
    strict: bool


def error_body(message: str, *, trace_id: str | None = None, emulator: bool = False) -> dict[str, Any]:
    """The envelope of an error that has no place in a document."""
    extensions: dict[str, Any] = {}
    if trace_id is not None:
        extensions["traceId"] = trace_id
    if emulator:
        extensions["emulator"] = True
    return {"errors": [{"message": message, **({"extensions": extensions} if extensions else {})}]}


class Executor:
    """Runs documents against one sandbox under one edition of the schema."""

    def __init__(self, sandbox: Sandbox, *, edition: str, limits: Limits, started_at: datetime) -> None:
        self._sandbox = sandbox
        self._limits = limits
        self._started_at = started_at
        self._schema: GraphQLSchema = executable_schema(edition)
        self._sources = members_of(self._schema, "Source")
        self._property_types = members_of(self._schema, "ProfilePropertyData")

    def run(self, request: Request) -> Reply:
        """Answers a request. Never raises for what a request holds."""
        try:
            document = parse_document(request.params.query, self._limits)
            check_size(document, self._limits)
        except GraphQLError as error:
            return self._struck(request) or self._refused(
                [error], strict=request.strict or isinstance(error, DocumentTooLarge)
            )
        operation = _operation(document, request.params.operation_name)
        if isinstance(operation, GraphQLError):
            return self._struck(request) or self._refused([operation], strict=request.strict)
        operations = root_fields(document, operation)
        faults = self._strike(operations)
        for fault, _ in faults:
            if isinstance(fault, HttpStatus):
                return _status_fault(fault, request.trace_id, operations)
        errors = validate(self._schema, document)
        if errors:
            return self._refused(errors, strict=request.strict, operations=operations)
        return self._execute(request, document, operations, _user_errors(faults))

    def _execute(
        self,
        request: Request,
        document: DocumentNode,
        operations: tuple[str, ...],
        faults: Mapping[str | None, UserError],
    ) -> Reply:
        settled: list[RecordSettled] = []
        try:
            with self._sandbox.store.begin() as connection:
                context = self._context(connection, request, faults)
                settled += settle(connection, context.arrival.received_at)
                result = execute_sync(
                    self._schema,
                    document,
                    context_value=context,
                    variable_values=dict(request.params.variables),
                    operation_name=request.params.operation_name,
                )
                _raise_unexpected(result.errors)
                settled += settle(connection, context.arrival.received_at)
        except Exception as error:  # noqa: BLE001 - the caller gets the masked answer, the log the truth
            _LOG.exception("request %s failed", request.trace_id, exc_info=error)
            failure = error_body(messages.UNEXPECTED_FAILURE, trace_id=request.trace_id)
            return Reply(status=500, body=failure, operations=operations)
        for event in settled:
            self._sandbox.journal.append(event)
        errors = result.errors or []
        if result.data is None and not any(error.path for error in errors):
            # Variables that do not fit: nothing was executed.
            return self._refused(errors, strict=request.strict, operations=operations)
        body: dict[str, Any] = {"data": result.data}
        if errors:
            body["errors"] = [formatted(error, self._schema) for error in errors]
        return Reply(status=200, body=body, operations=operations)

    def _context(
        self, connection: Connection, request: Request, faults: Mapping[str | None, UserError]
    ) -> RequestContext:
        now = self._sandbox.clock.now()
        ingestion = self._sandbox.workspace.ingestion
        due_at = now + latency_of(ingestion.latency, self._sandbox.ids, request.trace_id)
        return RequestContext(
            connection=connection,
            workspace=self._sandbox.workspace,
            token=request.token,
            limits=self._limits,
            arrival=Arrival(request_id=request.trace_id, received_at=to_millis(now), due_at=to_millis(due_at)),
            sources=self._sources,
            property_types=self._property_types,
            started_at=self._started_at,
            faults=faults,
        )

    def _refused(self, errors: list[GraphQLError], *, strict: bool, operations: tuple[str, ...] = ()) -> Reply:
        """A document that cannot run: status 200 for a plain JSON client, as the gateway's family answers."""
        body = {"errors": [formatted(error, self._schema) for error in errors]}
        return Reply(status=400 if strict else 200, body=body, operations=operations)

    def _strike(self, operations: tuple[str, ...]) -> list[tuple[Fault, str | None]]:
        """The faults that hit this request, each with the operation that its rule names."""
        rules = self._sandbox.faults.rules()
        struck = self._sandbox.faults.strike(operations)
        named = {id(rule.fault): rule.operation for rule in rules}
        return [(fault, named.get(id(fault))) for fault in struck]

    def _struck(self, request: Request) -> Reply | None:
        """The answer of a status fault to a request whose root fields are not known."""
        status = next((fault for fault, _ in self._strike(()) if isinstance(fault, HttpStatus)), None)
        return _status_fault(status, request.trace_id, ()) if status else None


def _operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode | GraphQLError:
    operations = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    if name is not None:
        named = (each for each in operations if each.name is not None and each.name.value == name)
        return next(named, None) or GraphQLError(messages.unknown_operation(name))
    if not operations:
        return GraphQLError(messages.NO_OPERATION)
    return operations[0] if len(operations) == 1 else GraphQLError(messages.AMBIGUOUS_OPERATION)


def _status_fault(fault: HttpStatus, trace_id: str, operations: tuple[str, ...]) -> Reply:
    try:
        message = HTTPStatus(fault.status).phrase
    except ValueError:
        message = f"Status {fault.status}"
    return Reply(status=fault.status, body=error_body(message, trace_id=trace_id), operations=operations)


def _user_errors(faults: list[tuple[Fault, str | None]]) -> dict[str | None, UserError]:
    return {
        operation: UserError(fault.message, fault.path) for fault, operation in faults if isinstance(fault, UserErrors)
    }


def _raise_unexpected(errors: list[GraphQLError] | None) -> None:
    for error in errors or ():
        original = error.original_error
        if original is not None and not isinstance(original, GraphQLError):
            raise UnexpectedFailure(str(error.path)) from original
