"""How the profiles differ that two sides deleted, of those that both had."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from emulator.harness.plan import EXAMPLES, Group, Who
from emulator.harness.upgrade.side_runs import SideRun, names_of
from emulator.harness.upgrade.upgrade_findings import CHANGES, LOSES

KEPT, DELETED = "kept", "deleted"
_ASKED, _OTHERS = "profiles of deleted people", "profiles of other people"


class DeletionChange(NamedTuple):
    """Profiles that only one side deleted. It is as bad as a loss where a deletion was asked for and not made, and
    where one was made that was not asked for.
    """

    level: str
    what: str
    how: str
    group: Group


def deletion_changes(old: SideRun, new: SideRun) -> Iterator[DeletionChange]:
    """Each kind of change, with the profiles in a group."""
    asked = _emails(old)
    both = old.end.profiles.keys() & new.end.profiles.keys()
    for how, found in ((KEPT, old.deleted - new.deleted), (DELETED, new.deleted - old.deleted)):
        for what, of_asked in ((_ASKED, True), (_OTHERS, False)):
            people = sorted(who for who in found & both if (who[1] in asked) == of_asked)
            if people:
                level = LOSES if (how == KEPT) == of_asked else CHANGES
                yield DeletionChange(level, what, how, _group(people, how, new))


def _emails(run: SideRun) -> frozenset[str]:
    """The emails of the people whose deletion was asked for."""
    deleted = {each.batch.events[0]["userId"] for each in run.deletions}
    events = (event for each in run.sent for event in each.batch.events)
    return frozenset(name for event in events if event.get("userId") in deleted for name in names_of(event))


def _group(people: list[Who], how: str, new: SideRun) -> Group:
    return Group(
        count=len(people),
        examples=tuple({"advertiserId": advertiser, "email": email} for advertiser, email in people[:EXAMPLES]),
        cause=f"the deletions of {new.side.name} {'do not delete' if how == KEPT else 'delete'} them",
    )
