"""The HTTP body of a GraphQL request: what it may hold, checked in the order and words of the service's gateway.

Observed: an unknown key is refused before anything else is looked at, only the first one is named. The other texts are
those of the gateway's family.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from emulator.stackadapt import messages

_KEYS: Final = ("query", "variables", "operationName", "extensions")
_TYPE_NAMES: Final[tuple[tuple[type, str], ...]] = (
    (bool, "boolean"),
    (str, "string"),
    (list, "array"),
    (dict, "object"),
)


class BadBody(Exception):
    """A body that is no GraphQL request. `emulator` marks a text that the real service would not send."""

    def __init__(self, message: str, *, status: int = 400, emulator: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.emulator = emulator


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphQLParams:
    """A request: the document's text, its variables, and which of its operations to run."""

    query: str
    variables: Mapping[str, Any]
    operation_name: str | None


def read_body(body: bytes) -> GraphQLParams:
    """The request in a body. Raises BadBody."""
    try:
        params = json.loads(body)
    except (ValueError, RecursionError):
        raise BadBody(messages.INVALID_JSON) from None
    if not isinstance(params, dict):
        raise BadBody(messages.params_not_an_object(_type_name(params)))
    for key, value in params.items():
        if key not in _KEYS and value is not None:
            raise BadBody(messages.unexpected_parameter(key))
    query = params.get("query")
    if query is None:
        raise BadBody(messages.NO_QUERY)
    _require(query, str, messages.query_not_a_string)
    variables = params.get("variables")
    if variables is not None:
        _require(variables, dict, messages.variables_not_an_object)
        _refuse_half_surrogates(variables)
    operation_name = params.get("operationName")
    if operation_name is not None:
        _require(operation_name, str, messages.operation_name_not_a_string)
    return GraphQLParams(query=query, variables=variables or {}, operation_name=operation_name or None)


def _require(value: Any, kind: type, message: Callable[[str], str]) -> None:
    if not isinstance(value, kind):
        raise BadBody(message(_type_name(value)))


def _type_name(value: Any) -> str:
    """The name that JavaScript gives the type of a JSON value."""
    return next(
        (name for kind, name in _TYPE_NAMES if isinstance(value, kind)), "object" if value is None else "number"
    )


def _refuse_half_surrogates(variables: Mapping[str, Any]) -> None:
    try:
        json.dumps(variables, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise BadBody(messages.HALF_SURROGATE, emulator=True) from None
