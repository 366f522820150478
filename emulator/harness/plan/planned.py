"""The outcome of a plan: what a change of the workspace does to the profiles of a population, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from emulator.harness.plan_checks import failed

EXAMPLES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Profiles with the same change. `cause` is why, `advice` what to do where there is something to do.

    An example is `{"advertiserId", "email"}`, with `old` and `new` where a value changed.
    """

    count: int
    examples: tuple[Mapping[str, Any], ...]
    cause: str
    advice: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A group whose profiles are in both ends. `what` is the property, the consent or the audience; `how` a word."""

    what: str
    how: str
    group: Group


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentChange:
    """The size of a segment of a rule that compares one field with one value."""

    advertiser_id: str
    field: str
    value: str
    old: int
    new: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """One of the two ends. `hours` are those until half of the profiles, and until all, were visible; None without.

    `refused` are the calls that Segment did not take, by its code.
    """

    profiles: int
    refused: Mapping[str, int]
    requests: Mapping[str, int]
    hours: tuple[float, float] | None

    def as_dict(self) -> dict[str, Any]:
        median, most = self.hours or (None, None)
        return {
            "profiles": self.profiles,
            "callsRefused": {"total": sum(self.refused.values()), "byReason": dict(self.refused)},
            "requests": {"total": sum(self.requests.values()), "byOutcome": dict(self.requests)},
            "hoursUntilVisible": {"median": median, "all": most},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`difference` are the lines in which the workspaces differ; `changed` counts profiles that are in both ends and
    differ in anything. `warning` says that neither end has a profile, and why.
    """

    people: str
    calls: int
    names: tuple[str, str]
    difference: tuple[str, ...]
    old: Numbers
    new: Numbers
    gained: tuple[Group, ...]
    lost: tuple[Group, ...]
    changed: int
    properties: tuple[Change, ...]
    consent: tuple[Change, ...]
    memberships: tuple[Change, ...]
    segments: tuple[SegmentChange, ...]
    warning: str | None = None

    def failed(self, checks: tuple[str, ...]) -> list[str]:
        """The checks, of `CHECKS`, that this plan does not pass."""
        return failed(self.as_dict(), checks)

    def as_dict(self) -> dict[str, Any]:
        """The JSON form (`contracts/plan.schema.json`)."""
        return {
            "people": {"text": self.people, "calls": self.calls},
            "warning": self.warning,
            "workspaces": {"old": self.names[0], "new": self.names[1], "difference": list(self.difference)},
            "old": self.old.as_dict(),
            "new": self.new.as_dict(),
            "profiles": {
                "gained": _total(self.gained),
                "lost": _total(self.lost),
                "changed": self.changed,
                "groups": {"gained": [*map(_group, self.gained)], "lost": [*map(_group, self.lost)]},
            },
            "properties": [_change("property", each) for each in self.properties],
            "consent": [_change("consent", each) for each in self.consent],
            "memberships": [_change("audience", each) for each in self.memberships],
            "segments": [
                {
                    "advertiserId": each.advertiser_id,
                    "field": each.field,
                    "value": each.value,
                    "old": each.old,
                    "new": each.new,
                }
                for each in self.segments
            ],
        }


def _total(groups: tuple[Group, ...]) -> int:
    return sum(group.count for group in groups)


def _group(group: Group) -> dict[str, Any]:
    return {**asdict(group), "examples": [dict(each) for each in group.examples]}


def _change(name: str, change: Change) -> dict[str, Any]:
    return {name: change.what, "change": change.how, **_group(change.group)}
