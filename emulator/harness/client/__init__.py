"""Clients of one endpoint: StackAdapt, Segment, the clock and the control API.

Everything goes over HTTP, so that an emulator in process, one on a port and any other GraphQL endpoint are used alike.
"""

from emulator.harness.client.arguments import checked
from emulator.harness.client.control import Control, refusal_in
from emulator.harness.client.endpoint import (
    ClockClient,
    Endpoint,
    NoControl,
    RemoteEmulator,
    RemoteGraphQL,
    in_process,
    probe,
    sandbox_at,
)
from emulator.harness.client.failures import Failures, failures_at
from emulator.harness.client.lines import (
    Shown,
    body_in,
    delivery_line,
    errors_in,
    named,
    profile_line,
    record_line,
    refusal_text,
    request_line,
    user_errors_in,
)
from emulator.harness.client.segment import SegmentClient, derived_user_id
from emulator.harness.client.stackadapt import GraphQLFailed, StackAdaptClient
from emulator.harness.client.timeline import Timeline, timeline_of

__all__ = [
    "ClockClient",
    "Control",
    "Endpoint",
    "Failures",
    "GraphQLFailed",
    "NoControl",
    "RemoteEmulator",
    "RemoteGraphQL",
    "SegmentClient",
    "Shown",
    "StackAdaptClient",
    "Timeline",
    "body_in",
    "checked",
    "delivery_line",
    "derived_user_id",
    "errors_in",
    "failures_at",
    "in_process",
    "named",
    "probe",
    "profile_line",
    "record_line",
    "refusal_in",
    "refusal_text",
    "request_line",
    "sandbox_at",
    "timeline_of",
    "user_errors_in",
]
