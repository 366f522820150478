"""What a plan of a change can be refused for, read from its JSON form (`contracts/plan.schema.json`).

Imports nothing of the run: tests read the plan of an emulator that is in another environment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from emulator.errors import unknown

Json = Mapping[str, Any]
# A group of profiles: its title and its JSON form.
Titled = tuple[str, Json]

# How a property and a membership change.
ADDED, REMOVED, CHANGED = "added", "removed", "changed"
JOINED, LEFT = "joined", "left"


def _profiles(end: str) -> Callable[[Json], list[Titled]]:
    return lambda plan: [(f"profiles {end}", group) for group in plan["profiles"]["groups"][end]]


def _properties(*kinds: str) -> Callable[[Json], list[Titled]]:
    return lambda plan: _of_kind("property", plan["properties"], kinds)


def _memberships(*kinds: str) -> Callable[[Json], list[Titled]]:
    return lambda plan: _of_kind("audience", plan["memberships"], kinds)


def _consent(plan: Json) -> list[Titled]:
    return [(f"consent {each['consent']}", each) for each in plan["consent"]]


def _of_kind(name: str, changes: Iterable[Json], kinds: tuple[str, ...]) -> list[Titled]:
    return [(f"{name} {each[name]!r} {each['change']}", each) for each in changes if each["change"] in kinds]


# What `--fail-on` can name, and the groups of a plan that it is about.
CHECKS: Mapping[str, Callable[[Json], list[Titled]]] = {
    "lost-profiles": _profiles("lost"),
    "gained-profiles": _profiles("gained"),
    "changed-properties": _properties(ADDED, REMOVED, CHANGED),
    "lost-properties": _properties(REMOVED),
    "changed-consent": _consent,
    "lost-memberships": _memberships(LEFT),
    "gained-memberships": _memberships(JOINED),
}


def failed(plan: Json, checks: Iterable[str]) -> list[str]:
    """The checks that a plan does not pass. Raises UnknownName."""
    return [name for name in checks if groups_of(plan, name)]


def groups_of(plan: Json, check: str) -> list[Titled]:
    """What a plan does not pass a check for. Raises UnknownName."""
    if check not in CHECKS:
        raise unknown("check", check, CHECKS)
    return CHECKS[check](plan)
