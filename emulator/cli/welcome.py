"""What `serve` and `start` print about a server that is ready."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from emulator.protocol import CONTROL_HEADER
from emulator.workspace import Workspace


def connection_of(url: str, workspace: Workspace, generated: str | None) -> dict[str, Any]:
    """How to connect to a server: addresses, tokens by name, write keys by source, advertisers by id, and the control
    token if it was `generated`.
    """
    return {
        "url": url,
        "graphql": f"{url}/graphql",
        "segment": f"{url}/v1",
        "control": f"{url}/_emulator",
        "tokens": {token.name: token.secret for token in workspace.tokens},
        "writeKeys": {source.name: source.write_key for source in workspace.sources},
        "advertisers": {advertiser.id: advertiser.name for advertiser in workspace.advertisers},
        **({"controlToken": generated} if generated else {}),
    }


def shown(connection: Mapping[str, Any], *, as_json: bool, stop: str) -> str:
    """The connection as one JSON line, or for a reader, with `stop`: how to stop the server."""
    return json.dumps(connection) if as_json else _welcome(connection, stop)


def _welcome(connection: Mapping[str, Any], stop: str) -> str:
    url, secrets = connection["url"], connection["tokens"]
    # Without a source it receives nothing; one can be added while it runs.
    key = next(iter(connection["writeKeys"].values()), "WRITE-KEY")
    token = next(iter(secrets.values()))
    advertiser = next(iter(connection["advertisers"]))
    tokens = "\n".join(f"               {secret}  ({name})" for name, secret in secrets.items()).strip()
    control_token = connection.get("controlToken")
    with_token = f"\n  control token  {control_token}  (header {CONTROL_HEADER})" if control_token else ""
    return f"""stackadapt-emulator is ready at {url}

  StackAdapt   {url}/graphql
  tokens       {tokens}
  Segment      {url}/v1/identify, /v1/track, /v1/batch
  write key    {key}
  control      {url}/_emulator/health{with_token}

Next, send an event, then look for the profile:

  curl -s {url}/v1/identify -u {key}: -H 'content-type: application/json' \\
    -d '{{"userId":"u1","traits":{{"email":"ada@example.com","first_name":"Ada","total_spent":900}}}}'

  curl -s {url}/graphql -H 'authorization: Bearer {token}' -H 'content-type: application/json' \\
    -d '{{"query":"{{ cdpProfiles(advertiserId: {advertiser}) {{ size profiles {{ nodes {{ email }} }} }} }}"}}'

Stop with {stop}.
"""
