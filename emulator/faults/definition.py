"""The definition of a rule: which fault, for which requests, how often and how long. In JSON, or in the header
of one request:

X-Emulator-Fault: status=429; retryAfter=30
X-Emulator-Fault: {"fault": "partial", "email": "*@example.com"}
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType
from typing import Any

import emulator.faults.kinds as kinds
from emulator import strict_json
from emulator.durations import ALLOWED, parse_duration
from emulator.errors import InputError, unknown
from emulator.faults.fault import Fault
from emulator.faults.matching import Match, RequestSummary
from emulator.faults.options import MATCHERS, Option, parse_options, show_options
from emulator.protocol import FAULT_HEADER

# What a rule takes besides the options of its fault; not in the header, which applies to one request.
_OF_THE_RULE = ("times", "lasts")
_TIMES = Option(type="integer", description="requests matched; no limit when absent", default=None, least=1, most=10**9)


@cache
def registry() -> Mapping[str, type[Fault]]:
    """Every fault by name, in the order of the modules of `kinds`."""
    modules = [import_module(f"{kinds.__name__}.{module.name}") for module in iter_modules(kinds.__path__)]
    classes = [each for module in modules for each in vars(module).values() if isinstance(each, type)]
    named = [each for each in classes if issubclass(each, Fault) and hasattr(each, "name")]
    return MappingProxyType({each.name: each for each in named})


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A rule as it was defined. `probability` is between 0 and 1; `times` and `lasts` None are without limit."""

    fault: Fault
    match: Match
    probability: float = 1.0
    times: int | None = None
    lasts: timedelta | None = None

    def applies_to(self, request: RequestSummary) -> bool:
        """Whether it could match such a request; its probability is left to the caller."""
        return self.probability > 0 and self.match.matches(request) and self.fault.applies_to(request)

    def as_dict(self) -> dict[str, Any]:
        """Its JSON form, with every key but `times` and `lasts`."""
        return {
            "fault": self.fault.name,
            **show_options(self.fault),
            **{name: getattr(self.match, name) for name in MATCHERS},
            "probability": self.probability,
        }


def parse_definition(document: Mapping[str, Any]) -> Definition:
    """Parses `{"fault": name, "operation"?, "advertiser"?, "email"?, "probability"?, "times"?, "lasts"?, …}` with the
    options of the fault.

    Raises InputError with the key as its place.
    """
    options = dict(document)
    name = options.pop("fault", None)
    kind = registry().get(name) if isinstance(name, str) else None
    if kind is None:
        raise unknown("fault", name, sorted(registry()), where="fault")
    match = Match(**{matcher: _pattern(options, matcher) for matcher in MATCHERS})
    probability = _probability(options.pop("probability", 1.0))
    times = _TIMES.read(options, "times")
    options.pop("times", None)
    lasts = _duration(options.pop("lasts")) if "lasts" in options else None
    fault = parse_options(kind, kind.name, options)
    return Definition(fault=fault, match=match, probability=probability, times=times, lasts=lasts)


def check_operation(operation: object, known: Collection[str]) -> None:
    """Raises UnknownName for a root field that the schema does not have: its rule would never match."""
    if isinstance(operation, str) and operation not in known:
        raise unknown("root field", operation, known, where="operation", listing=False)


def parse_header(value: str, operations: Collection[str]) -> Definition:
    """Parses the header `X-Emulator-Fault`; `operations` are the root fields of the schema. Raises InputError."""
    document = _json(value) if value.lstrip().startswith("{") else _pairs(value)
    for name in _OF_THE_RULE:
        if name in document:
            message = "the header applies to one request only"
            raise InputError(message, where=f"{FAULT_HEADER}: {name}", found=document[name])
    try:
        definition = parse_definition(document)
        check_operation(definition.match.operation, operations)
    except InputError as error:
        error.where = f"{FAULT_HEADER}: {error.where}"
        raise
    return definition


def _pattern(options: dict[str, Any], name: str) -> str | None:
    value = options.pop(name, None)
    if value is not None and (not isinstance(value, str) or not value):
        raise InputError("invalid string", where=name, found=value, allowed="a non-empty string")
    return value


def _probability(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1:
        raise InputError("invalid probability", where="probability", found=value, allowed="0 to 1")
    return float(value)


def _duration(value: object) -> timedelta:
    if not isinstance(value, str) or not (lasts := parse_duration(value, where="lasts")):
        raise InputError("invalid duration", where="lasts", found=value, allowed=f"{ALLOWED}; not zero")
    return lasts


def _json(value: str) -> dict[str, Any]:
    try:
        document = strict_json.parse(value)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise InputError("invalid JSON object", where=FAULT_HEADER, found=value)
    return document


def _pairs(value: str) -> dict[str, Any]:
    first, *others = value.split(";")
    name, has_value, text = (part.strip() for part in first.partition("="))
    document: dict[str, Any] = {"fault": name}
    if has_value:
        kind = registry().get(name)
        document[kind.main if kind else name] = _scalar(text)
    for other in others:
        key, has_value, text = (part.strip() for part in other.partition("="))
        if not has_value:
            raise InputError("invalid option", where=FAULT_HEADER, found=other.strip(), allowed="name=value")
        document[key] = _scalar(text)
    return document


def _scalar(text: str) -> Any:
    """A number or boolean where the text is one, else the text."""
    try:
        value = strict_json.parse(text)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, int | float) else text
