"""What the journal knows of the requests to `/graphql`: find them, count them, and tell which ones came close."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

from emulator.clock import to_iso
from emulator.errors import InputError, nearest
from emulator.events import GraphQLExchanged, RecordProcessed
from emulator.faults.matching import Match
from emulator.sandbox import Sandbox
from emulator.stackadapt.limits import Limits
from emulator.stackadapt.request_log.view import Shown, shown

CRITERIA: Final = ("operation", "email", "advertiserId", "status", "traceId")
COUNTS: Final = ("times", "atLeast", "atMost")
# The status of a request that got no answer.
NO_STATUS: Final = "none"

_NEAREST = 5
_SHOWN_VALUES = 5
_MOST = 1_000_000


@dataclass(frozen=True, slots=True)
class Criteria:
    """What a request must have, by the names of `CRITERIA`. In an email `*` stands for any text."""

    wanted: Mapping[str, str | int]

    def missed(self, exchange: GraphQLExchanged) -> list[str]:
        """The criteria that a request does not meet."""
        return [name for name, value in self.wanted.items() if not _meets(exchange, name, value)]


def read_criteria(given: Mapping[str, Any]) -> Criteria:
    """Reads criteria, from JSON or from a query string. Raises InputError."""
    return Criteria({name: _criterion(name, given[name]) for name in CRITERIA if name in given})


class Exchanges:
    """The requests that one sandbox remembers, oldest first. `operations` are the root fields of the schema."""

    def __init__(self, sandbox: Sandbox, limits: Limits, operations: tuple[str, ...]) -> None:
        self._journal = sandbox.journal
        self._limits = limits
        self._operations = operations

    def find(self, criteria: Criteria, *, limit: int, offset: int = 0, mask: bool = False) -> tuple[int, list[Shown]]:
        """How many requests meet the criteria, and a page of them (`exchange_view.shown`). Raises InputError."""
        found, _ = self._matching(criteria)
        settled: dict[str, list[RecordProcessed]] = defaultdict(list)
        for end in self._journal.entries(RecordProcessed):
            settled[end.trace_id].append(end)
        page = found[offset : offset + limit]
        return len(found), [shown(each, settled[each.trace_id], self._limits, mask=mask) for each in page]

    def verify(self, given: Mapping[str, Any]) -> Shown:
        """Whether so many requests were made: `{"verified", "found", "expected", "nearest"}`.

        `given` holds criteria and one of `times`, `atLeast`, `atMost`, or the latter two (at least once when absent).
        `nearest` are requests that miss a single criterion, and which. Raises InputError.
        """
        _refuse_unknown(given)
        criteria = read_criteria(given)
        if not criteria.wanted:
            raise InputError("say which requests are meant", where="criteria", allowed=", ".join(CRITERIA))
        expected = _expected(given)
        found, missed = self._matching(criteria)
        return {
            "verified": _holds(len(found), expected),
            "found": len(found),
            "expected": expected,
            "nearest": [_near_miss(each, name, criteria.wanted[name]) for each, name in missed[-_NEAREST:]],
        }

    def clear(self) -> None:
        """Forgets everything that the journal holds."""
        self._journal.clear()

    def _matching(self, criteria: Criteria) -> tuple[list[GraphQLExchanged], list[tuple[GraphQLExchanged, str]]]:
        """The requests that meet the criteria, and those that miss one, with its name."""
        exchanges = self._journal.entries(GraphQLExchanged)
        self._check_operation(criteria.wanted.get("operation"), exchanges)
        found, close = [], []
        for exchange in exchanges:
            missed = criteria.missed(exchange)
            if not missed:
                found.append(exchange)
            elif len(missed) == 1:
                close.append((exchange, missed[0]))
        return found, close

    def _check_operation(self, operation: str | int | None, exchanges: list[GraphQLExchanged]) -> None:
        if operation is None or operation in self._operations:
            return
        if not any(operation in exchange.operations for exchange in exchanges):
            raise InputError(
                "the schema has no such root field, and no request asked for it",
                where="operation",
                found=operation,
                hint=nearest(str(operation), self._operations),
            )


def _meets(exchange: GraphQLExchanged, name: str, value: str | int) -> bool:
    if name == "email":
        return Match(email=str(value)).fits_any(exchange.emails)
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


def _near_miss(exchange: GraphQLExchanged, name: str, wanted: str | int) -> Shown:
    values = _values(exchange, name)
    if len(values) > _SHOWN_VALUES:
        texts = [str(value) for value in values]
        values = tuple(get_close_matches(str(wanted), texts, n=_SHOWN_VALUES, cutoff=0)) or values[:_SHOWN_VALUES]
    return {
        "traceId": exchange.trace_id,
        "at": to_iso(exchange.at),
        "operations": list(exchange.operations),
        "status": exchange.status,
        "differs": name,
        "expected": wanted,
        "found": list(values),
    }


def _criterion(name: str, value: Any) -> str | int:
    if name != "status":
        if not isinstance(value, str) or not value:
            raise InputError("this is not a text", where=name, found=value, allowed="a text that is not empty")
        return value
    if isinstance(value, str) and len(value) == 3 and value.isascii() and value.isdigit():
        value = int(value)
    if value != NO_STATUS and (not isinstance(value, int) or isinstance(value, bool) or not 100 <= value <= 599):
        raise InputError("this is not a status", where=name, found=value, allowed=f"100 to 599, {NO_STATUS}")
    return value  # type: ignore[no-any-return]  # the check above leaves a text or a number


def _refuse_unknown(given: Mapping[str, Any]) -> None:
    known = (*CRITERIA, *COUNTS)
    for name in given:
        if name not in known:
            raise InputError(
                "this is not known here", where=name, allowed=", ".join(known), hint=nearest(str(name), known)
            )


def _expected(given: Mapping[str, Any]) -> dict[str, int]:
    expected = {name: given[name] for name in COUNTS if name in given}
    for name, value in expected.items():
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MOST:
            raise InputError("this is not a number of requests", where=name, found=value, allowed=f"0 to {_MOST}")
    if "times" in expected and len(expected) > 1:
        raise InputError("an exact number leaves no room for another", where="times", allowed="times alone")
    return expected or {"atLeast": 1}


def _holds(found: int, expected: Mapping[str, int]) -> bool:
    return (
        found == expected.get("times", found)
        and found >= expected.get("atLeast", found)
        and found <= expected.get("atMost", found)
    )
