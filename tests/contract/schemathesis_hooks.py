"""What Schemathesis cannot know about the emulator. `SCHEMATHESIS_HOOKS` names this module on a command line.

A snapshot is gzip, profiles are lines. StackAdapt's schema has a custom scalar, JSON. And a refusal (of a cursor, of
an advertiser for which the token has no scope) is an error with a path and status 200, which Schemathesis takes for a
failed resolver: here refusals have `"emulator": true`, and a resolver that fails gives status 500.
"""

from __future__ import annotations

import gzip
import json

import graphql
import schemathesis
from hypothesis import strategies as st
from schemathesis import Case
from schemathesis.core.failures import Failure
from schemathesis.graphql import nodes
from schemathesis.graphql.checks import GraphQLServerError
from schemathesis.hooks import HookContext
from schemathesis.transport import SerializationContext

Values = st.SearchStrategy[graphql.ValueNode]


def _object_of(values: Values) -> Values:
    keys = st.sampled_from(["email", "userId", "audienceId", "audienceName", "action", "marketing_status", "city"])
    fields = st.tuples(keys, values).map(
        lambda pair: graphql.ObjectFieldNode(name=graphql.NameNode(value=pair[0]), value=pair[1])
    )
    unique = st.lists(fields, max_size=5, unique_by=lambda field: field.name.value)
    return unique.map(lambda found: graphql.ObjectValueNode(fields=tuple(found)))


def _list_of(values: Values) -> Values:
    return st.lists(values, max_size=4).map(lambda found: graphql.ListValueNode(values=tuple(found)))


_SCALARS: Values = st.one_of(
    st.emails().map(nodes.String),
    st.text(max_size=20).map(nodes.String),
    st.integers().map(nodes.Int),
    st.floats(allow_nan=False, allow_infinity=False).map(nodes.Float),
    st.booleans().map(nodes.Boolean),
    st.just(nodes.Null),
)
_VALUES: Values = st.recursive(_SCALARS, lambda inner: st.one_of(_object_of(inner), _list_of(inner)), max_leaves=8)

# Null may be inside a value; the schema never accepts it as one.
_NOT_NULL: Values = _VALUES.filter(lambda value: not isinstance(value, graphql.NullValueNode))

schemathesis.graphql.scalar("JSON", st.one_of(_list_of(_object_of(_SCALARS)), _NOT_NULL))


@schemathesis.serializer("application/gzip")
def gzipped(context: SerializationContext, value: object) -> bytes:
    """Any value, compressed like a snapshot."""
    return gzip.compress(_as_bytes(value), mtime=0)


@schemathesis.serializer("application/x-ndjson")
def in_lines(context: SerializationContext, value: object) -> bytes:
    """Any value; a list as one line per item."""
    return b"\n".join(map(_as_bytes, value)) if isinstance(value, list) else _as_bytes(value)


def _as_bytes(value: object) -> bytes:
    if isinstance(value, bytes):
        return value
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text.encode("utf-8", "replace")


@schemathesis.hook
def filter_failure(context: HookContext, failure: Failure, case: Case, response: object) -> bool:
    """Whether a failure counts: not when every error is an intended one."""
    if not isinstance(failure, GraphQLServerError):
        return True
    return not all(error.get("extensions", {}).get("emulator") for error in failure.errors)
