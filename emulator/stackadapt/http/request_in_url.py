"""A GraphQL request in the URL of a GET, which some clients send for short queries by default."""

from __future__ import annotations

import json
from collections.abc import Mapping

_AS_TEXT = ("query", "operationName")
_AS_JSON = ("variables", "extensions")


def body_in_url(parameters: Mapping[str, str]) -> bytes | None:
    """The same request as the body of a POST; None without any parameter of a GraphQL request.

    Like GraphQL Yoga, it ignores other parameters. What is not JSON, but should be, stays a string, which is refused.
    """
    given = {name: parameters[name] for name in (*_AS_TEXT, *_AS_JSON) if parameters.get(name)}
    if not given:
        return None
    return json.dumps({name: _value(text) if name in _AS_JSON else text for name, text in given.items()}).encode()


def _value(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
