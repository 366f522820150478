"""The requests of the shop to Segment and StackAdapt."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import httpx

IMPORT = """mutation {{
  upsertProfileMapping(input: {{
    advertiserId: {advertiser}, mappableType: "segment_io", isOptedIn: true, mappingSchemaV2: [
      {{incomingKey: "email", destinationKey: "email", label: "Email", type: STRING, isPii: true}}
      {{incomingKey: "first_name", destinationKey: "first_name", label: "First Name", type: STRING, isPii: true}}
      {{incomingKey: "city", destinationKey: "city", label: "City", type: STRING, isPii: false}}
    ]
  }}) {{ userErrors {{ message }} }}
  upsertProfiles(input: {{advertiserId: {advertiser}, externalProvider: "segment_io", profiles: {profiles}}}) {{
    userErrors {{ message }}
  }}
}}"""
STATUS = """query ($advertiser: ID!, $email: String) {
  cdpProfiles(advertiserId: $advertiser, filterBy: {email: $email}) { profiles { nodes { marketingStatus } } }
}"""
TOO_MANY_REQUESTS = 429
TRIES = 3


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The addresses of the two services and their credentials. Reports use a read-only token."""

    segment_host: str
    segment_write_key: str
    stackadapt_url: str
    import_token: str
    report_token: str
    advertiser_id: str


@dataclass(frozen=True, kw_only=True)
class Customer:
    """A customer."""

    id: str
    email: str
    first_name: str
    city: str
    total_spent: float = 0

    @property
    def traits(self) -> dict[str, Any]:
        """The traits that are sent."""
        return {
            "email": self.email,
            "first_name": self.first_name,
            "city": self.city,
        }


class Shop:
    """Sends customers to Segment when they buy, and imports existing ones into StackAdapt."""

    def __init__(self, settings: Settings, *, wait: Callable[[float], None] = time.sleep) -> None:
        self._settings = settings
        self._wait = wait
        self._http = httpx.Client(trust_env=False)

    def bought(self, customer: Customer) -> None:
        """Sends a customer to Segment as its SDKs do: a batch, with the write key as user name."""
        call = {
            "type": "identify",
            "userId": customer.id,
            "traits": {**customer.traits, "total_spent": customer.total_spent},
        }
        answer = self._http.post(
            f"{self._settings.segment_host}/v1/batch",
            json={"batch": [call]},
            auth=(self._settings.segment_write_key, ""),
        )
        answer.raise_for_status()

    def import_customers(self, customers: Sequence[Customer]) -> None:
        """Imports customers into StackAdapt in one request."""
        profiles = json.dumps([customer.traits for customer in customers])
        document = IMPORT.format(advertiser=self._settings.advertiser_id, profiles=json.dumps(profiles))
        self._ask(document, token=self._settings.import_token)

    def marketing_status(self, email: str) -> str | None:
        """The marketing status in StackAdapt; None when there is no profile with this email."""
        variables = {"advertiser": self._settings.advertiser_id, "email": email}
        answer = self._ask(STATUS, token=self._settings.report_token, variables=variables)
        found = answer["data"]["cdpProfiles"]["profiles"]["nodes"]
        return found[0]["marketingStatus"] if found else None

    def _ask(self, document: str, *, token: str, **body: Any) -> dict[str, Any]:
        for _ in range(TRIES):
            answer = self._http.post(
                self._settings.stackadapt_url,
                json={"query": document, **body},
                headers={"authorization": f"Bearer {token}"},
            )
            if answer.status_code != TOO_MANY_REQUESTS:
                break
            self._wait(float(answer.headers["retry-after"]))
        answer.raise_for_status()
        result: dict[str, Any] = answer.json()
        return result

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
