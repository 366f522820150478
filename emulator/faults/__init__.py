"""Fault injection for requests to `/graphql`.

A fault is a small class in a module of `kinds`; its hooks act on the request and on the response. `Faults` holds the
active rules of a sandbox, and `Faults.match` returns those that match a request.
"""

from emulator.faults.catalogue import fault_kinds
from emulator.faults.definition import (
    Definition,
    check_operation,
    parse_definition,
    parse_header,
    registry,
)
from emulator.faults.fault import Fault, InjectedUserError, RecordRejection
from emulator.faults.kinds.status import Status
from emulator.faults.matching import Match, RequestSummary
from emulator.faults.presets import PRESETS
from emulator.faults.response import ENVIRON, FaultedResponse, Interruption, ResponseChannel, channel_of
from emulator.faults.rules import FaultMatch, Faults, Rule, check_faults
from emulator.faults.shared_rules import SharedFaults

__all__ = [
    "ENVIRON",
    "PRESETS",
    "Definition",
    "Fault",
    "FaultMatch",
    "FaultedResponse",
    "Faults",
    "InjectedUserError",
    "Interruption",
    "Match",
    "RecordRejection",
    "RequestSummary",
    "ResponseChannel",
    "Rule",
    "SharedFaults",
    "Status",
    "channel_of",
    "check_faults",
    "check_operation",
    "fault_kinds",
    "parse_definition",
    "parse_header",
    "registry",
]
