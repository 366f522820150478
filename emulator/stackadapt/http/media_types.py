"""Media types of requests and responses, by the rules of GraphQL Yoga 5.24 and, for q-values, of RFC 9110."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from werkzeug.http import parse_accept_header

JSON: Final = "application/json"
GRAPHQL_RESPONSE: Final = "application/graphql-response+json"
# Those of a body with a GraphQL request in JSON.
BODY_TYPES: Final = (JSON, "application/graphql+json")

_CHARSET: Final = "utf-8"


@lru_cache(maxsize=100)
def chosen(accept: str | None) -> str | None:
    """The media type of the response for an Accept header; None if the client accepts none that the service has.

    The one with the higher quality, as the most specific range has it; of two with the same, the one that is named
    first; JSON where that decides nothing.
    """
    ranges = [(value, quality) for value, quality in parse_accept_header(accept or "*/*") if _is_utf_8(value)]
    ranked = []
    for media_type in (JSON, GRAPHQL_RESPONSE):
        matching = [
            (_specificity(value), quality, -place)
            for place, (value, quality) in enumerate(ranges)
            if _without_parameters(value) in ("*/*", "application/*", media_type)
        ]
        if matching:
            _, quality, place = max(matching)
            ranked.append((quality, place, media_type))
    best = max(ranked, key=lambda rank: rank[:2], default=None)
    return best[2] if best and best[0] > 0 else None


def is_json(content_type: str | None) -> bool:
    """Whether a Content-Type header announces a GraphQL request in JSON. Letter case counts, as it does in Yoga."""
    first = (content_type or "").partition(",")[0]
    return first.partition(";")[0] in BODY_TYPES


def _without_parameters(value: str) -> str:
    return value.partition(";")[0].strip().lower()


def _specificity(value: str) -> int:
    return -_without_parameters(value).count("*")


def _is_utf_8(value: str) -> bool:
    """Whether a range names no other charset: Yoga has no other and skips the range."""
    parameters = (part.strip().lower().partition("=") for part in value.split(";")[1:])
    return all(text.strip('"') == _CHARSET for name, _, text in parameters if name == "charset")
