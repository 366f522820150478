"""Searches the journal for requests to `/graphql`, counts them, and finds near misses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

from emulator.clock import to_iso
from emulator.errors import unknown
from emulator.events import GraphQLExchanged, RecordProcessed
from emulator.faults import Match
from emulator.sandbox import Sandbox
from emulator.stackadapt.limits import Limits
from emulator.stackadapt.request_log.view import Shown, shown

CRITERIA: Final = ("operation", "email", "advertiserId", "status", "traceId")
COUNTS: Final = ("times", "atLeast", "atMost")
# The status of a request without a response.
NO_STATUS: Final = "none"

_NEAREST = 5
_SHOWN_VALUES = 5


@dataclass(frozen=True, slots=True)
class Criteria:
    """What a request must match, by the names of `CRITERIA`. In an email `*` is any text."""

    values: Mapping[str, str | int]

    def missed(self, exchange: GraphQLExchanged) -> list[str]:
        """The criteria that a request does not match."""
        return [name for name, value in self.values.items() if not _matches(exchange, name, value)]


def read_criteria(given: Mapping[str, Any]) -> Criteria:
    """The criteria among the arguments of a control request, which are validated already."""
    return Criteria({name: given[name] for name in CRITERIA if given.get(name) is not None})


class RequestLog:
    """The requests in the journal of one sandbox, oldest first. `operations` are the root fields of the schema."""

    def __init__(self, sandbox: Sandbox, limits: Limits, operations: tuple[str, ...]) -> None:
        self._journal = sandbox.journal
        self._limits = limits
        self._operations = operations

    def find(self, criteria: Criteria, *, limit: int, offset: int = 0, mask: bool = False) -> tuple[int, list[Shown]]:
        """How many requests match the criteria, and a page of them (`view.shown`). Raises InputError."""
        found, _ = self._matching(criteria)
        processed: dict[str, list[RecordProcessed]] = defaultdict(list)
        for record in self._journal.entries(RecordProcessed):
            processed[record.trace_id].append(record)
        page = found[offset : offset + limit]
        return len(found), [shown(each, processed[each.trace_id], self._limits, mask=mask) for each in page]

    def verify(self, given: Mapping[str, Any]) -> Shown:
        """Whether the expected number of requests was made: `{"verified", "found", "expected", "nearest"}`.

        `given` has criteria and one of `times`, `atLeast`, `atMost`, or the latter two; without any, at least one
        request is expected. `nearest` are requests that miss one criterion, and which.
        Raises InputError for an unknown operation; the rest of `given` is validated already.
        """
        criteria = read_criteria(given)
        expected = {name: given[name] for name in COUNTS if name in given} or {"atLeast": 1}
        found, missed = self._matching(criteria)
        return {
            "verified": _meets(len(found), expected),
            "found": len(found),
            "expected": expected,
            "nearest": [_near_miss(each, name, criteria.values[name]) for each, name in missed[-_NEAREST:]],
        }

    def clear(self) -> None:
        """Deletes everything in the journal."""
        self._journal.clear()

    def _matching(self, criteria: Criteria) -> tuple[list[GraphQLExchanged], list[tuple[GraphQLExchanged, str]]]:
        """The requests that match the criteria, and those that miss one, with its name."""
        exchanges = self._journal.entries(GraphQLExchanged)
        self._check_operation(criteria.values.get("operation"), exchanges)
        found, close = [], []
        for exchange in exchanges:
            missed = criteria.missed(exchange)
            if not missed:
                found.append(exchange)
            elif len(missed) == 1:
                close.append((exchange, missed[0]))
        return found, close

    def _check_operation(self, operation: str | int | None, exchanges: list[GraphQLExchanged]) -> None:
        """Raises InputError for a root field that is neither in the schema nor in a request."""
        if operation is None or operation in self._operations:
            return
        if not any(operation in exchange.operations for exchange in exchanges):
            raise unknown("root field", operation, self._operations, where="operation", listing=False)


def _matches(exchange: GraphQLExchanged, name: str, value: str | int) -> bool:
    if name == "email":
        return Match(email=str(value)).matches_any(exchange.emails)
    return value in _values(exchange, name)


def _values(exchange: GraphQLExchanged, name: str) -> tuple[str | int, ...]:
    status = NO_STATUS if exchange.status is None else exchange.status
    values: dict[str, tuple[str | int, ...]] = {
        "operation": exchange.operations,
        "email": exchange.emails,
        "advertiserId": exchange.advertiser_ids,
        "status": (status,),
        "traceId": (exchange.trace_id,),
    }
    return values[name]


def _near_miss(exchange: GraphQLExchanged, name: str, expected: str | int) -> Shown:
    values = _values(exchange, name)
    if len(values) > _SHOWN_VALUES:
        texts = [str(value) for value in values]
        values = tuple(get_close_matches(str(expected), texts, n=_SHOWN_VALUES, cutoff=0)) or values[:_SHOWN_VALUES]
    return {
        "traceId": exchange.trace_id,
        "at": to_iso(exchange.at),
        "operations": list(exchange.operations),
        "status": exchange.status,
        "differs": name,
        "expected": expected,
        "found": list(values),
    }


def _meets(found: int, expected: Mapping[str, int]) -> bool:
    return (
        found == expected.get("times", found)
        and found >= expected.get("atLeast", found)
        and found <= expected.get("atMost", found)
    )
