"""The StackAdapt service: a GraphQL API that accepts profiles, and what it stores. Knows nothing of Segment.

`StackAdapt` is the service of one sandbox; `emulator.stackadapt.http` serves it. `parse_body` parses a recorded body.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emulator.stackadapt.graphql.request import FieldContents, ParsedRequest, parse_body
    from emulator.stackadapt.limits import Limits
    from emulator.stackadapt.request_log import CRITERIA, RequestLog, outcome_of, read_criteria
    from emulator.stackadapt.service import StackAdapt

__all__ = [
    "CRITERIA",
    "FieldContents",
    "Limits",
    "ParsedRequest",
    "RequestLog",
    "StackAdapt",
    "outcome_of",
    "parse_body",
    "read_criteria",
]

_MODULES = {
    "CRITERIA": "request_log",
    "FieldContents": "graphql.request",
    "Limits": "limits",
    "ParsedRequest": "graphql.request",
    "RequestLog": "request_log",
    "StackAdapt": "service",
    "outcome_of": "request_log",
    "parse_body": "graphql.request",
    "read_criteria": "request_log",
}


def __getattr__(name: str) -> Any:
    # Imported on first use: a client of a running emulator needs the reason codes, but no GraphQL and no database.
    from importlib import import_module

    if name in _MODULES:
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
