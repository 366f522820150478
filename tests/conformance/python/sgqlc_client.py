"""`sgqlc` with its defaults: `python sgqlc_client.py ENDPOINT URL`, where ENDPOINT is `http` or `requests`.

Reads and writes what `gql_client.py` does, without the schema, which `sgqlc-codegen` reads.
"""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

from sgqlc.endpoint.http import HTTPEndpoint
from sgqlc.endpoint.requests import RequestsEndpoint

ENDPOINTS = {"http": HTTPEndpoint, "requests": RequestsEndpoint}


def outcome(answer: dict[str, Any]) -> dict[str, Any]:
    """An endpoint raises nothing: it adds what failed to the errors of its answer."""
    if not answer.get("errors"):
        return {"data": answer["data"]}
    return {"errors": [error["message"] for error in answer["errors"]], "status": answer["errors"][0].get("status")}


def main(name: str, url: str) -> None:
    # It logs each failure too.
    logging.disable()
    for line in sys.stdin:
        request = json.loads(line)
        send = ENDPOINTS[name](url, {"Authorization": f"Bearer {request['token']}"})
        print(json.dumps(outcome(send(request["document"], request["variables"]))), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
