"""Segment's mapping engine and its published StackAdapt destination, byte-exact.

`DestinationInstance(newest(), settings, subscriptions)` is a configured destination: its `on_event`, `on_batch` and
`on_delete` take events and a `send`, its `subscriptions` prepare requests without sending them.
"""

from emulator.mapping.definition import (
    ActionDefinition,
    Definition,
    Field,
    field_rows,
    generations,
    load_definition,
    nearest_generation,
    newest,
)
from emulator.mapping.destination import DestinationInstance
from emulator.mapping.engine_errors import (
    AggregateAjvError,
    CredentialsError,
    EngineError,
    EngineTypeError,
    HTTPError,
    IntegrationError,
    MappingError,
    SendError,
)
from emulator.mapping.fql import NOT_A_STRING, Condition, ConditionResult, Group, Node, Trigger, compile_trigger
from emulator.mapping.fql.lexer import LexError, Token, lex
from emulator.mapping.javascript.values import UNDEFINED, parse_json, stringify
from emulator.mapping.mistakes import MappingMistake, mapping_mistakes
from emulator.mapping.resolve import compile_mapping, directive_of, single_event
from emulator.mapping.schema import is_email
from emulator.mapping.subscription import Invalid, NotSubscribed, Prepared, PreparedEvent, Ready, Subscription
from emulator.mapping.trace import FieldTrace, Step, trace_mapping, tracer_of
from emulator.mapping.wire import OutgoingRequest, Response, Send

__all__ = [
    "NOT_A_STRING",
    "UNDEFINED",
    "ActionDefinition",
    "AggregateAjvError",
    "Condition",
    "ConditionResult",
    "CredentialsError",
    "Definition",
    "DestinationInstance",
    "EngineError",
    "EngineTypeError",
    "Field",
    "FieldTrace",
    "Group",
    "HTTPError",
    "IntegrationError",
    "Invalid",
    "LexError",
    "MappingError",
    "MappingMistake",
    "Node",
    "NotSubscribed",
    "OutgoingRequest",
    "Prepared",
    "PreparedEvent",
    "Ready",
    "Response",
    "Send",
    "SendError",
    "Step",
    "Subscription",
    "Token",
    "Trigger",
    "compile_mapping",
    "compile_trigger",
    "directive_of",
    "field_rows",
    "generations",
    "is_email",
    "lex",
    "load_definition",
    "mapping_mistakes",
    "nearest_generation",
    "newest",
    "parse_json",
    "single_event",
    "stringify",
    "trace_mapping",
    "tracer_of",
]
