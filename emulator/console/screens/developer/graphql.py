"""GraphQL: an editor for requests to `/graphql`, with the schema and the requests of each generation."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from emulator.console.control_api import ControlAPI
from emulator.console.screens.screen import Screen, Values
from emulator.console.view import View
from emulator.mapping import generations, load_definition

_QUERIES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "tokenInfo": """query {
  tokenInfo {
    scopesByAdvertiser {
      nodes {
        advertiser {
          id
          name
        }
        scopes
      }
    }
  }
}""",
        "cdpProfiles": """query {
  cdpProfiles(advertiserId: "ADVERTISER") {
    size
    profiles(first: 10) {
      nodes {
        email
        marketingStatus
        sources
      }
    }
  }
}""",
        "user": """query {
  user {
    email
  }
}""",
    }
)
_EVENT: Final = {
    "type": "identify",
    "messageId": "example",
    "userId": "ada",
    "timestamp": "2026-01-01T00:00:00Z",
    "traits": {"email": "ada@example.com", "first_name": "Ada", "vip_customers": True},
    "context": {
        "personas": {
            "computation_class": "audience",
            "computation_id": "aud_1",
            "computation_key": "vip_customers",
            "space_id": "space",
        }
    },
}


def _values(api: ControlAPI, view: View) -> Values:
    sandbox = api.get(f"sandboxes/{view.sandbox}")
    advertiser = next(iter(sandbox["advertisers"]), "")
    saved = view.get("saved") or ("" if view.get("document") else "tokenInfo")
    return {
        "tokens": [*sandbox["tokens"]],
        "token": view.get("token"),
        "document": view.get("document") or _saved(api, saved, advertiser),
        "variables": view.get("variables"),
        "queries": [*_QUERIES],
        "mutations": [
            (f"{action.title}, {generation}", f"{generation}/{name}")
            for generation in reversed(generations())
            for name, action in load_definition(generation).actions.items()
        ],
        "saved": saved,
        "api_version": sandbox["apiVersion"],
    }


def _saved(api: ControlAPI, name: str, advertiser: str) -> str:
    """A saved operation: a query, or what the destination writes for an example; empty for another name."""
    if name in _QUERIES:
        return _QUERIES[name].replace("ADVERTISER", advertiser)
    generation, _, action = name.partition("/")
    if generation not in generations() or action not in load_definition(generation).actions:
        return ""
    sent = {"event": _EVENT, "workspace": _workspace(generation, action, advertiser)}
    return api.post("map", sent)["requests"][0]["document"] or ""


def _workspace(generation: str, action: str, advertiser: str) -> dict[str, Any]:
    """Just what the destination needs to write its request."""
    destination = {
        "name": "example",
        "generation": generation,
        "settings": {"apiKey": "example", "advertiser_id": advertiser},
        "subscriptions": [
            {
                "name": action,
                "action": action,
                "trigger": 'type = "identify"',
                "mapping": {"advertiser_id": advertiser, "marketing_status": "Opted-in"},
            }
        ],
    }
    return {
        "advertisers": [{"id": advertiser, "name": "example"}],
        "tokens": [{"token": "example", "name": "example", "scopes": {advertiser: ["READ", "WRITE"]}}],
        "sources": [{"name": "example", "writeKey": "example"}],
        "destinations": [destination],
    }


SCREEN = Screen(
    group="Developer",
    name="GraphQL",
    path="graphql",
    template="developer/graphql",
    values=_values,
    script="graphql",
)
