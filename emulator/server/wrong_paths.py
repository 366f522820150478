"""Requests to a path or a method that the server does not have: what was meant, and the error to send."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import product

from werkzeug.routing import Map

from emulator.errors import InputError, NotFound
from emulator.segment.http import route_named
from emulator.segment.tracking.calls import BATCHES, CALLS

GRAPHQL = "/graphql"
TRACKING = "v1"
CONTROL = "_emulator"

_GRAPHQL_NAMES = ("graphql", "gql", "graphiql")
_SETTINGS = re.compile(r"/v1/projects/[^/]+/settings/?")
_ROUTES = (*CALLS, *BATCHES)
_ENDPOINTS = (
    f"StackAdapt is at {GRAPHQL}, the Tracking API at /{TRACKING}/identify, /{TRACKING}/track and /{TRACKING}/batch, "
    f"the control API at /{CONTROL}/health."
)
_NO_SETTINGS = (
    "The emulator has no settings for the browser SDK: pass cdnSettings, as `stackadapt-emulator docs clients` shows."
)
# A part of a rule that is one of several words.
_ANY = re.compile(r"<any\((.*)\):\w+>")
_DOCUMENT = f"GET /{CONTROL}/openapi.json lists every path."


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """What a request to a path is meant for: `/graphql`, or a `route` of the Tracking API."""

    path: str
    route: str | None = None


def meant_by(path: str) -> Meant | None:
    """What a path that does not exist, or exists elsewhere, is meant for; None for neither of the two APIs."""
    parts = _parts(path.lower())
    if not parts or parts[0] == CONTROL:
        return None
    if any(part in _GRAPHQL_NAMES for part in parts):
        return Meant(path=GRAPHQL)
    named = [part for part in parts if part in _ROUTES]
    if not named and set(parts[:-1]) <= {TRACKING}:
        named = [route] if (route := route_named(parts[-1])) else get_close_matches(parts[-1], _ROUTES, n=1)
    return Meant(path=f"/{TRACKING}/{named[-1]}", route=named[-1]) if named else None


def unknown_path(path: str, routes: Map, root: str) -> NotFound:
    """The error for a path that no route has. `root` is the URL of the server."""
    return NotFound(f"unknown path {path!r}", where="path", found=path, hint=_hint(path, routes, root))


def _hint(path: str, routes: Map, root: str) -> str:
    if _SETTINGS.fullmatch(path):
        return _NO_SETTINGS
    meant = meant_by(path)
    if meant is None:
        own = path.startswith(f"/{CONTROL}")
        return " ".join(filter(None, (_nearest_control(path, routes), _DOCUMENT if own else _ENDPOINTS)))
    if meant.route is None:
        return f"The path is {GRAPHQL}: set the client's URL to {root}{GRAPHQL}."
    if _parts(path).count(TRACKING) > 1:
        return f"The path is {meant.path}: the SDK adds /{TRACKING} itself, so set its host to {root}."
    return f"The path is {meant.path}: the Tracking API is at {root}/{TRACKING}."


def _nearest_control(path: str, routes: Map) -> str | None:
    """A sentence with the nearest path of the control API. Compared without their first part, which all have."""
    given = _parts(path)
    given = given[1:] if given and get_close_matches(given[0], [CONTROL], n=1) else given
    known = {"/".join(each) for rule in routes.iter_rules() for each in _filled(_parts(rule.rule), given)}
    matches = get_close_matches("/".join(given), known, n=1)
    return f"Did you mean '/{CONTROL}/{matches[0]}'?" if matches else None


def _filled(rule: list[str], given: list[str]) -> Iterator[list[str]]:
    """The parts of a path of the control API after the first, with those of `given` in place of parameters."""
    if rule[:1] == [CONTROL]:
        parts = rule[1:]
        values = given if len(given) == len(parts) else parts
        yield from map(list, product(*map(_words, parts, values)))


def _words(part: str, given: str) -> list[str]:
    """What a part of a rule may be: one of its words, or for a parameter what is given."""
    if (words := _ANY.fullmatch(part)) is not None:
        return words[1].split(", ")
    return [given if part.startswith("<") else part]


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part]


def wrong_method(method: str, path: str, allowed: Iterable[str]) -> InputError:
    """The error for a path that exists, but not for this method."""
    methods = sorted(set(allowed) - {"HEAD", "OPTIONS"})
    hint = _ENDPOINTS if path == "/" else f"Send {' or '.join(filter(None, (', '.join(methods[:-1]), methods[-1])))}."
    return InputError(
        f"{method} is not allowed at {path}", where="method", found=method, allowed=", ".join(methods), hint=hint
    )
