"""Segment's mapping engine and its published StackAdapt destination: what they put on the wire, to the byte.

`DestinationInstance(newest(), settings, subscriptions)` is a destination as a customer has set it up; its `on_event`,
`on_batch` and `on_delete` take events and a `send`, its `subscriptions` prepare requests without sending them.
"""

from emulator.mapping.definition import ActionDefinition, Definition, Field, generations, load_definition, newest
from emulator.mapping.destination import DestinationInstance
from emulator.mapping.engine_errors import (
    AggregateAjvError,
    CredentialsError,
    EngineError,
    EngineTypeError,
    HTTPError,
    IntegrationError,
    MappingFailure,
    SendError,
)
from emulator.mapping.fql import Condition, Explanation, Group, Node, Trigger, compile_trigger
from emulator.mapping.http_request import accepted, exchange
from emulator.mapping.javascript.values import UNDEFINED, parse_json, stringify
from emulator.mapping.mapping_error import MappingError
from emulator.mapping.resolve import compile_mapping
from emulator.mapping.results import Result, batch_results, event_results
from emulator.mapping.subscription import Invalid, NoAction, NotSubscribed, Prepared, Ready, Subscription, Verdict
from emulator.mapping.trace import FieldTrace, Step, trace_mapping
from emulator.mapping.wire import OutgoingRequest, Reply, Send

__all__ = [
    "UNDEFINED",
    "ActionDefinition",
    "AggregateAjvError",
    "Condition",
    "CredentialsError",
    "Definition",
    "DestinationInstance",
    "EngineError",
    "EngineTypeError",
    "Explanation",
    "Field",
    "FieldTrace",
    "Group",
    "HTTPError",
    "IntegrationError",
    "Invalid",
    "MappingError",
    "MappingFailure",
    "NoAction",
    "Node",
    "NotSubscribed",
    "OutgoingRequest",
    "Prepared",
    "Ready",
    "Reply",
    "Result",
    "Send",
    "SendError",
    "Step",
    "Subscription",
    "Trigger",
    "Verdict",
    "accepted",
    "batch_results",
    "compile_mapping",
    "compile_trigger",
    "event_results",
    "exchange",
    "generations",
    "load_definition",
    "newest",
    "parse_json",
    "stringify",
    "trace_mapping",
]
