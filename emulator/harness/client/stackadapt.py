"""The StackAdapt service for tests: its GraphQL API, and what only an emulator can show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from emulator.errors import ContractViolation
from emulator.harness.client.arguments import checked
from emulator.harness.client.control import Control
from emulator.harness.client.endpoint import ClockClient, Endpoint
from emulator.harness.client.lines import Shown

if TYPE_CHECKING:
    import httpx


class GraphQLFailed(ContractViolation):
    """A response with errors or without data."""


@checked
class StackAdaptClient:
    """One advertiser at an endpoint, accessed with one token."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    @property
    def url(self) -> str:
        """The URL of the GraphQL endpoint."""
        return f"{self._endpoint.url}{self._endpoint.graphql_path}"

    @property
    def token(self) -> str:
        """The bearer token."""
        return self._endpoint.token

    @property
    def tokens(self) -> Mapping[str, str]:
        """All tokens by their names in the workspace; empty where they are not known."""
        return self._endpoint.tokens

    @property
    def clock(self) -> ClockClient:
        """The clock of the emulator."""
        return ClockClient(self._endpoint)

    @property
    def control(self) -> Control:
        """The control API: everything that no method here does."""
        return self._endpoint.control

    @property
    def advertiser_id(self) -> str:
        """The advertiser whose profiles are shown."""
        return self._endpoint.advertiser_id

    def post(
        self,
        document: str,
        variables: Mapping[str, Any] | None = None,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Posts a document and returns the HTTP response, whatever its status."""
        body: Shown = {"query": document} | ({} if variables is None else {"variables": dict(variables)})
        sent = {"authorization": f"Bearer {token or self.token}", **(headers or {})}
        return self._endpoint.client.post(self._endpoint.graphql_path, json=body, headers=sent)

    def graphql(self, document: str, variables: Mapping[str, Any] | None = None) -> Shown:
        """Posts a document and returns its `data`. Raises GraphQLFailed when there are errors."""
        response = self.post(document, variables)
        try:
            body = response.json()
        except ValueError:
            raise GraphQLFailed(f"not a GraphQL response: status {response.status_code}", where=self.url) from None
        if body.get("errors") or not isinstance(body.get("data"), dict):
            messages = "; ".join(str(error.get("message")) for error in body.get("errors") or ())
            raise GraphQLFailed(f"{response.status_code} {messages}".strip(), where=self.url)
        data: Shown = body["data"]
        return data

    def profiles(self, email: str | None = None) -> list[Shown]:
        """The visible profiles with properties, external ids and audiences."""
        found = self._endpoint.control.pages("profiles", "profiles", advertiserId=self.advertiser_id, email=email)
        return list(found)

    def rejections(self, reason: str | None = None) -> list[Shown]:
        """The rejected records with their reasons."""
        control = self._endpoint.control
        return list(control.pages("rejections", "rejections", advertiserId=self.advertiser_id, reason=reason))

    def records(self, **filters: Any) -> list[Shown]:
        """The records with their outcomes; filter by `outcome`, `requestId`, `email`."""
        return list(self._endpoint.control.pages("records", "records", **filters))

    def segment(self, rule: Mapping[str, Any], *, name: str = "Segment") -> Shown:
        """Creates a segment and returns it with `size` and `members`."""
        body = {"advertiserId": self.advertiser_id, "name": name, "rule": dict(rule)}
        created = self._endpoint.control.post("segments", body)["id"]
        segment = self._endpoint.control.get(f"segments/{created}", limit=1)
        return {**segment, "members": list(self._endpoint.control.pages(f"segments/{created}", "members"))}

    def journal(self, **criteria: Any) -> list[Shown]:
        """The GraphQL requests; filter by `operation`, `email`, `advertiserId`, `status`, `outcome`, `reason`, `fault`,
        `person`, `messageId`, `traceId`.
        """
        return list(self._endpoint.control.pages("journal", "entries", **criteria))

    def verify(self, **criteria: Any) -> Shown:
        """Counts requests: the criteria of the journal with `times`, `atLeast` or `atMost`."""
        return self._endpoint.control.post("journal/verify", criteria)

    def add_fault(self, fault: str, **options: Any) -> Shown:
        """Injects a fault: `add_fault("status", status=429, operation="upsertProfiles", times=1)`."""
        return self._endpoint.control.post("faults", {"fault": fault, **options})

    def clear_faults(self) -> None:
        """Removes all faults."""
        self._endpoint.control.delete("faults")
