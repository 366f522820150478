"""Why a profile is in an audience or not, and in a journey or not: each condition with the values it found."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from emulator.segment.conditions.clause import Clause
from emulator.segment.conditions.proposed_change import Change, change_for
from emulator.segment.engage.computations import Computation
from emulator.segment.engage.journeys import CompiledJourney, before_entry
from emulator.segment.profiles.facts import ProfileFacts
from emulator.segment.profiles.profile import EMAIL, USER_ID, Profile, Progress, profile_id
from emulator.segment.profiles.store import key_of
from emulator.stored_values import StoredValues
from emulator.timestamps import iso_of_millis

NOT_COMPUTED = "the profile has neither user id nor email, so no audience is computed"
NOT_YET_COMPUTED = "the condition holds, but the audience has not been computed for this profile since"
WAITS_FOR_BATCH = "the condition holds, and the batch audience is computed at"


def explanations(
    profile: Profile,
    facts: ProfileFacts,
    computations: Iterable[Computation],
    journeys: Iterable[CompiledJourney],
    coming: Mapping[str, int],
) -> Iterator[dict[str, Any]]:
    """For each audience, then each journey: its key, whether the profile is in it, the condition, and what failed.

    `{"profile", "audience", "journey", "name", "member", "nextComputation", "conditions", "failed", "change"}`:
    `audience` is a key or None, `journey` an id or None, `nextComputation` when a batch audience is computed next (its
    time in milliseconds is in `coming`) or None, `conditions` a tree of clauses, `failed` a list of lines, `change`
    what would make the condition hold or None: `{"traits", "events": [{"event", "properties"}]}`.
    """
    computed = bool(profile.values(USER_ID) or profile.values(EMAIL))
    for computation in computations:
        audience = computation.audience
        clause = computation.condition.explain(facts, True)
        member = audience.key in profile.audiences
        about = {"audience": audience.key, "journey": None, "name": audience.name}
        due = coming.get(audience.key)
        reasons = _reasons(clause, computed=computed, member=member, due=due)
        change = change_for(audience.condition, facts)
        yield _explained(profile, about, clause, member=member, reasons=reasons, change=change, due=due)
    for compiled in journeys:
        journey, progress = compiled.journey, profile.journeys.get(compiled.journey.id)
        clause = compiled.entry.explain(facts, True)
        member = progress is not None and not progress.exited
        about = {"audience": None, "journey": journey.id, "name": journey.name}
        if progress is None:
            reasons = list(_reasons_before(compiled, facts, clause, computed=computed))
        else:
            reasons = list(_reasons_within(compiled, progress, facts))
        change = None if member or journey.entry is None else change_for(journey.entry, facts)
        yield _explained(profile, about, clause, member=member, reasons=reasons, change=change)


def unless_damaged(key: int, explained: Callable[[], list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """The explanations of one stored profile; one that says why, and explains nothing, where it cannot be read."""
    stored = StoredValues()
    about = {"profile": profile_id(key), "audience": None, "journey": None, "name": "", "member": False}
    empty: dict[str, Any] = {
        "nextComputation": None,
        "conditions": {"text": "", "passed": False},
        "failed": [],
        "change": None,
    }
    found: list[dict[str, Any]] = stored.read("profile", explained, [])
    return found or [stored.shown({**about, **empty})]


def _explained(
    profile: Profile,
    about: dict[str, Any],
    clause: Clause,
    *,
    member: bool,
    reasons: list[str],
    change: Change | None,
    due: int | None = None,
) -> dict[str, Any]:
    return {
        "profile": profile_id(key_of(profile)),
        **about,
        "member": member,
        "nextComputation": None if due is None else iso_of_millis(due),
        "conditions": clause.as_dict(),
        "failed": reasons,
        "change": None if change is None else change.as_dict(),
    }


def _reasons(clause: Clause, *, computed: bool, member: bool, due: int | None = None) -> list[str]:
    """Why the profile is outside, or for a member, what of the condition does not hold any more.

    `due` is when a batch audience is computed next.
    """
    if not computed:
        return [NOT_COMPUTED, *clause.failed()]
    if clause.passed and not member:
        return [NOT_YET_COMPUTED if due is None else f"{WAITS_FOR_BATCH} {iso_of_millis(due)}"]
    leaving = [f"leaves when the batch audience is computed at {iso_of_millis(due)}"] if member and due else []
    return [*clause.failed(), *(leaving if not clause.passed else [])]


def _reasons_before(compiled: CompiledJourney, facts: ProfileFacts, entry: Clause, *, computed: bool) -> Iterator[str]:
    """Why the profile has not entered the journey."""
    yield from _reasons(entry, computed=computed, member=False)
    # The opposite of the exit condition is what the journey needs.
    yield from (f"exit condition: {line}" for line in compiled.exit.explain(before_entry(facts), False).failed())


def _reasons_within(compiled: CompiledJourney, progress: Progress, facts: ProfileFacts) -> Iterator[str]:
    """Why the profile is out of the journey again, or not at its next step."""
    if progress.exited:
        yield "the profile left the journey, and enters only once"
        return
    for step in compiled.steps[progress.step + 1 : progress.step + 2]:
        name, due = json.dumps(step.step.name, ensure_ascii=False), progress.joined_at + step.wait_millis
        if facts.now < due:
            yield f"step {name} waits until {iso_of_millis(due)}"
        yield from (f"step {name}: {line}" for line in step.condition.explain(facts, True).failed())
