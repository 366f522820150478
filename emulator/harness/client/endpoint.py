"""An endpoint: where the two companies answer, and the secrets that open it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import httpx

from emulator.addresses import shown
from emulator.errors import UserMistake
from emulator.harness.client.control import Control


class NoControl(UserMistake):
    """Something was asked that only an emulator can do, of an endpoint that is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An emulator in process, an emulator on a port, or somebody else's GraphQL endpoint.

    `client` has the base URL; `graphql_path` is where GraphQL answers below it. `write_key` is None where no Segment
    listens. `controlled` tells whether the control API is there. `tokens` are all tokens by name, where they are known.
    `address` gives the base URL for others, for an emulator in process whose port opens when somebody asks.
    """

    client: httpx.Client = field(repr=False)
    token: str = field(repr=False)
    advertiser_id: str
    write_key: str | None = field(default=None, repr=False)
    graphql_path: str = "/graphql"
    controlled: bool = True
    tokens: Mapping[str, str] = field(default_factory=dict, repr=False)
    address: Callable[[], str] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """The base URL as it may be printed."""
        return shown(httpx.URL(self.address()) if self.address else self.client.base_url).rstrip("/")

    @property
    def control(self) -> Control:
        """The control API. Raises NoControl where there is none."""
        if not self.controlled:
            raise NoControl(
                "this needs the control API of an emulator",
                where=self.url,
                hint="Run it against an emulator: leave --target or --stackadapt-url out.",
            )
        return Control(self.client)
