"""Requests to the emulator under test, and what every one of its responses must be."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from emulator import strict_json

LONGEST_SECONDS = 5.0
# `timeout` faults ask for silence: the client gives up early.
_SILENCE_SECONDS = 1.0
_SHOWN = 600


class Violation(Exception):
    """The emulator did what it must never do."""


@dataclass
class Connection:
    """A client of one sandbox. `fault` is the name of the fault that may break responses of `/graphql` now."""

    url: str
    sandbox: str = ""
    token: str = ""
    write_key: str = ""
    fault: str = ""
    log: list[str] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    slowest: float = 0.0

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.url, timeout=LONGEST_SECONDS)

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_raised: object) -> None:
        self.http.close()

    def control(self, method: str, path: str, **request: Any) -> httpx.Response:
        """A request to the control API of the sandbox."""
        return self.send(method, f"/_emulator/{path}", headers={"X-Emulator-Sandbox": self.sandbox}, **request)

    def read(self, path: str) -> Any:
        """What a list of the control API holds. It must answer with 200."""
        response = self.control("GET", path)
        if response.status_code != 200:
            raise self.violation(f"GET {path} answered {response.status_code}", response)
        return response.json()

    def segment(self, path: str, content: bytes, **headers: str) -> httpx.Response | None:
        """A request to the Tracking API."""
        sent = {"Content-Type": "application/json", **headers}
        return self.send("POST", path, content=content, headers=sent, auth=(self.write_key, ""))

    def graphql(self, content: bytes, *, fault: str | None = None) -> httpx.Response | None:
        """A request to StackAdapt; None when a fault has taken the response."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        if fault:
            headers["X-Emulator-Fault"] = fault
        return self.send(
            "POST", "/graphql", content=content, headers=headers, fault=f"{fault or ''} {self.fault}".strip()
        )

    def send(self, method: str, path: str, *, fault: str = "", **request: Any) -> Any:
        """The response; None when the fault has taken it.

        Raises Violation for a hang, a 5xx, and what is not strict JSON, unless a fault has asked for it. None asks for
        a status of 500.
        """
        if "json" in request:
            # In ASCII: httpx itself cannot send half of a surrogate pair.
            request["content"] = json.dumps(request.pop("json")).encode()
            request["headers"] = {"Content-Type": "application/json", **request.get("headers", {})}
        body = request.get("content")
        self.log.append(f"{method} {path} {request.get('params', '')} {str(body)[:_SHOWN] if body else ''}".rstrip())
        started = time.monotonic()
        try:
            timeout = _SILENCE_SECONDS if "timeout" in fault else LONGEST_SECONDS
            response = self.http.request(method, path, timeout=timeout, **request)
        except httpx.TransportError as error:
            self.statuses[0] += 1
            if fault and ("timeout" in fault or not isinstance(error, httpx.TimeoutException)):
                return None
            raise self.violation(f"{method} {path}: {type(error).__name__} {error}") from error
        seconds = time.monotonic() - started
        self.slowest = max(self.slowest, seconds)
        self.statuses[response.status_code] += 1
        if seconds > LONGEST_SECONDS:
            raise self.violation(f"{seconds:.1f} s", response)
        if not fault or response.status_code == 500:
            self._check(response)
        return response

    def _check(self, response: httpx.Response) -> None:
        if response.status_code >= 500 and not _waits_full(response):
            raise self.violation(f"status {response.status_code}", response)
        kind = response.headers.get("Content-Type", "")
        lines = response.content.splitlines() if "ndjson" in kind else [response.content] if "json" in kind else []
        try:
            for line in lines:
                strict_json.parse(line)
        except ValueError as error:
            raise self.violation(f"not strict JSON: {error}", response) from error

    def violation(self, what: str, response: httpx.Response | None = None) -> Violation:
        shown = "" if response is None else f"\n  {response.request.url}: {response.text[:_SHOWN]}"
        return Violation(f"{what}{shown}")


def _waits_full(response: httpx.Response) -> bool:
    """Whether this is the documented refusal of one wait too many."""
    return response.status_code == 503 and "Retry-After" in response.headers and "/wait" in str(response.request.url)


def secrets_of(created: Mapping[str, Any]) -> dict[str, str]:
    """The sandbox, token and write key in a response to the creation of a sandbox."""
    return {"sandbox": created["name"], "token": created["token"], "write_key": created["writeKey"]}
