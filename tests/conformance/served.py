"""The emulator in its own process (`serve`), called over HTTP."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

import httpx

TOKEN = "sa-local-write"
WRITE_KEY = "segment-local"
ADVERTISER = "1001"
SECONDS_ALLOWED = 30
REPOSITORY = Path(__file__).resolve().parents[2]

PROFILES = """query Profiles($advertiser: ID!, $email: String) {
  cdpProfiles(advertiserId: $advertiser, filterBy: {email: $email}) { profiles { nodes { email marketingStatus } } }
}"""


class ServedEmulator:
    """`with ServedEmulator(log_file) as served: served.get("/_emulator/health")`."""

    def __init__(self, log: Path, *options: str) -> None:
        self._log = log
        self._options = options

    def __enter__(self) -> Self:
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "emulator", "serve", "--port", "0", "--json", *self._options],
                cwd=REPOSITORY,
                stdout=subprocess.PIPE,
                stderr=log,
                encoding="utf-8",
            )
        assert self._process.stdout
        ready = self._process.stdout.readline()
        if not ready:
            self._process.communicate()
            raise AssertionError(f"serve ended with {self._process.returncode}: {self._log.read_text()}")
        self.url: str = json.loads(ready)["url"]
        self._client = httpx.Client(base_url=self.url, trust_env=False, timeout=SECONDS_ALLOWED)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()
        self._process.terminate()
        self._process.communicate(timeout=SECONDS_ALLOWED)

    @property
    def graphql(self) -> str:
        """The URL for the destination."""
        return f"{self.url}/graphql"

    def get(self, path: str) -> Any:
        """The JSON response of a path of the control API."""
        return self._checked(self._client.get(path))

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """Posts JSON to the control API."""
        return self._checked(self._client.post(path, json=body))

    def query(self, document: str, **variables: Any) -> Any:
        """The `data` of a StackAdapt GraphQL response for the read-write token."""
        response = self._client.post(
            "/graphql",
            json={"query": document, "variables": variables},
            headers={"Authorization": f"Bearer {TOKEN}"},
        )
        body = self._checked(response)
        assert "errors" not in body, body["errors"]
        return body["data"]

    def profiles(self, email: str) -> list[dict[str, Any]]:
        """The profiles with this email in `cdpProfiles`."""
        found = self.query(PROFILES, advertiser=ADVERTISER, email=email)
        nodes: list[dict[str, Any]] = found["cdpProfiles"]["profiles"]["nodes"]
        return nodes

    def create_segment(self, field: str, value: str) -> str:
        """Creates the segment `field equals value` and returns its id."""
        rule = {"field": field, "operator": "equals", "value": value}
        body = {"advertiserId": ADVERTISER, "name": f"{field} is {value}", "rule": rule}
        return str(self.post("/_emulator/segments", body)["id"])

    def members(self, segment_id: str) -> list[str]:
        """The emails in a segment, whose size must be their number."""
        segment = self.get(f"/_emulator/segments/{segment_id}?limit=10000")
        assert segment["size"] == len(segment["members"])
        members: list[str] = segment["members"]
        return members

    def _checked(self, response: httpx.Response) -> Any:
        assert response.is_success, f"{response.request.url}: {response.status_code} {response.text}"
        return response.json()
