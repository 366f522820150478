"""The audiences that an emulator has heard of, for an expectation that would hold of a slip."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from emulator.harness.client import Endpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownAudiences:
    """`names` are the ids and names that can be told for sure, `told` every text of a record: a mapping decides under
    which key a record names its audience.
    """

    names: tuple[str, ...]
    told: frozenset[str]

    def has(self, audience: str) -> bool:
        """Whether somebody has named it."""
        return audience in self.names or audience in self.told


def known_audiences(endpoint: Endpoint) -> KnownAudiences:
    """What the workspace declares, what profiles are in and what records say. Raises NoControl."""
    records = [each["record"] for each in endpoint.control.pages("records", "records")]
    return KnownAudiences(
        names=tuple(dict.fromkeys(_names(endpoint, records))),
        told=frozenset(value for record in records for value in record.values() if isinstance(value, str)),
    )


def _names(endpoint: Endpoint, records: list[dict[str, Any]]) -> Iterator[str]:
    control = endpoint.control
    for audience in control.get("audiences")["audiences"]:
        yield from (audience["key"], audience["id"])
    for journey in control.get("journeys")["journeys"]:
        yield from (step["key"] for step in journey["steps"])
    for profile in control.pages("profiles", "profiles"):
        yield from (audience[key] for audience in profile["audiences"] for key in ("name", "id"))
    for record in records:
        yield from (str(record[key]) for key in ("audienceName", "audienceId") if record.get(key))
