"""A query, and the message of the response."""

from __future__ import annotations

from typing import Any

USER = "{ user { email } }"


def message(response: Any) -> str:
    return str(response.json["errors"][0]["message"])
