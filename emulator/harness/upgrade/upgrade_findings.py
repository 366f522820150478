"""The outcome of a check as data: each difference that an upgrade makes, and how bad it is.

- `loses-data`: a profile, a property or a membership is gone afterwards, or an event or a deletion that got to
  StackAdapt does not, or deletes other profiles than before.
- `changes-data`: the profile stays, but a value, consent, a membership or a profile is new or another one.
- `harmless`: requests or records differ, and the ends of everyone whom the difference concerns are equal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from emulator.harness.plan import Plan

LOSES, CHANGES, HARMLESS = "loses-data", "changes-data", "harmless"
# Worst first.
LEVELS: Final = (LOSES, CHANGES, HARMLESS)
EXAMPLES: Final = 3

# What a finding is about.
DELIVERY, REQUEST, RECORD = "delivery", "request", "record"
PROFILE, PROPERTY, CONSENT, MEMBERSHIP = "profile", "property", "consent", "membership"
DELETION = "deletion"


@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradeFinding:
    """One difference. `what` names it and `how` says in a word how it differs; `count` is of what it is about.

    An example has `old` and `new` where a value changed, and `email`, `userId`, `event` or `message` of whom it is.
    `advice` is what to do, None where nothing is to be done.
    """

    level: str
    part: str
    what: str
    how: str
    count: int
    examples: tuple[Mapping[str, Any], ...]
    cause: str
    advice: str | None = None

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "examples": [dict(each) for each in self.examples]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fates:
    """How many events, or deletions, got to StackAdapt, the destination did not send, or StackAdapt refused."""

    arrived: int
    rejected: int
    refused: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SideNumbers:
    """One side. `requests` are those of the events; `deleted` counts the profiles that the deletions deleted."""

    name: str
    api_version: str
    events: Fates
    requests: int
    deletions: Fates
    deleted: int

    def as_dict(self) -> dict[str, Any]:
        return {
            "generation": self.name,
            "apiVersion": self.api_version,
            "events": asdict(self.events),
            "requests": self.requests,
            "deletions": {**asdict(self.deletions), "profiles": self.deleted},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgrade:
    """One upgrade. `plan` compares the ends; `findings` are worst first."""

    sides: tuple[SideNumbers, SideNumbers]
    plan: Plan
    findings: Sequence[UpgradeFinding]

    @property
    def level(self) -> str:
        """That of the worst finding; `harmless` without any."""
        return self.findings[0].level if self.findings else HARMLESS

    @property
    def totals(self) -> dict[str, int]:
        """How many findings there are of each level, worst first."""
        counts = Counter(each.level for each in self.findings)
        return {level: counts[level] for level in LEVELS}

    def as_dict(self) -> dict[str, Any]:
        ends = self.plan.as_dict()
        return {
            "from": {**self.sides[0].as_dict(), "profiles": ends["old"]["profiles"]},
            "to": {**self.sides[1].as_dict(), "profiles": ends["new"]["profiles"]},
            "level": self.level,
            "totals": self.totals,
            "findings": [each.as_dict() for each in self.findings],
            "segments": ends["segments"],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradeCheck:
    """All upgrades that were checked, one after the other, over the same events."""

    people: str
    calls: int
    events: int
    deletions: int
    mappings: str
    upgrades: Sequence[Upgrade]

    def failed(self, levels: Sequence[str]) -> list[str]:
        """The given levels that a finding has."""
        found = {each.level for upgrade in self.upgrades for each in upgrade.findings}
        return [level for level in levels if level in found]

    def as_dict(self) -> dict[str, Any]:
        """The JSON form (`contracts/upgrade-check.schema.json`)."""
        return {
            "people": {"text": self.people, "calls": self.calls},
            "events": self.events,
            "deletions": self.deletions,
            "mappings": self.mappings,
            "upgrades": [each.as_dict() for each in self.upgrades],
        }
