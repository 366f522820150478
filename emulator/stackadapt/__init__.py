"""The StackAdapt service: a GraphQL API that accepts profiles, and what it stores. Knows nothing of Segment.

`StackAdapt` is the service of one sandbox; `emulator.stackadapt.http` serves it. `parse_body` parses a recorded body.
"""

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
