"""Compares the ends of two runs of one population."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import islice
from statistics import median
from typing import Any

from emulator.harness.plan.calls import CallsOf
from emulator.harness.plan.causes import Found, Side, in_words, of_consent, of_membership, of_property
from emulator.harness.plan.end_state import Cause, EndState, ProfileState, Who
from emulator.harness.plan.no_profiles import Nothing, nothing_came
from emulator.harness.plan.planned import EXAMPLES, Change, Group, Numbers, Plan, SegmentChange
from emulator.harness.plan_checks import ADDED, CHANGED, JOINED, LEFT, REMOVED

_NOT_SENT = Cause("Segment", "NOT_SENT", "Segment sent no event about them")
_ABSENT = object()


def compared(
    old: EndState,
    new: EndState,
    sides: tuple[Side, Side],
    *,
    population: CallsOf,
    names: tuple[str, str],
    difference: Sequence[str],
) -> Plan:
    """The plan. The sides say why examples stopped where they did."""
    both = [who for who in old.profiles if who in new.profiles]
    pairs = [(who, old.profiles[who], new.profiles[who]) for who in both]
    differing = [(who, one, other) for who, one, other in pairs if _differs(one, other)]
    return Plan(
        people=population.text,
        calls=population.calls,
        names=names,
        difference=tuple(difference),
        old=_numbers(old),
        new=_numbers(new),
        gained=_missing(new, old, sides[0]),
        lost=_missing(old, new, sides[1]),
        changed=len(differing),
        properties=tuple(_properties(differing, sides)),
        consent=tuple(_consent(differing, sides)),
        memberships=tuple(_memberships(differing, sides)),
        segments=tuple(_segments(old, new)),
        warning=None if old.profiles or new.profiles else _warning(nothing_came((old, new), sides, population)),
    )


def _warning(found: Nothing) -> str:
    return (
        "Neither workspace has a profile, so these people show nothing of the change. "
        f"{found.cause}. What to do: {found.advice}"
    )


def _differs(one: ProfileState, other: ProfileState) -> bool:
    return (one.marketing_status, one.properties, one.audiences) != (
        other.marketing_status,
        other.properties,
        other.audiences,
    )


def _numbers(end: EndState) -> Numbers:
    hours = [profile.hours for profile in end.profiles.values()]
    return Numbers(
        profiles=len(end.profiles),
        refused=end.refused,
        requests=end.requests,
        hours=(round(median(hours), 3), max(hours)) if hours else None,
    )


def _missing(present: EndState, absent: EndState, side: Side) -> tuple[Group, ...]:
    """The profiles that only the first end has, by why the other one lacks them."""
    elsewhere = {email: _elsewhere(advertiser_id) for advertiser_id, email in absent.profiles}
    groups: dict[Cause, list[Who]] = defaultdict(list)
    for who in present.profiles:
        if who not in absent.profiles:
            groups[absent.causes.get(who[1]) or elsewhere.get(who[1], _NOT_SENT)].append(who)
    found = (_missing_group(cause, people, side) for cause, people in groups.items())
    return tuple(sorted(found, key=lambda group: -group.count))


@cache
def _elsewhere(advertiser_id: str) -> Cause:
    return Cause("StackAdapt", "OTHER_ADVERTISER", f"their profiles are at advertiser {advertiser_id}")


def _missing_group(cause: Cause, people: Sequence[Who], side: Side) -> Group:
    stop = side.stop(people[0][1])
    return Group(
        count=len(people),
        examples=tuple(map(_example, people[:EXAMPLES])),
        cause=_in_words(cause) if stop is None or cause is not _NOT_SENT else in_words(stop),
        advice=stop.advice if stop else None,
    )


def _in_words(cause: Cause) -> str:
    return f"{cause.stage}, {cause.reason}: {cause.message}"


Differing = Sequence[tuple[Who, ProfileState, ProfileState]]
# What changed and how, with an example for each profile.
Collected = Mapping[tuple[str, str], Sequence[Mapping[str, Any]]]


def _properties(differing: Differing, sides: tuple[Side, Side]) -> Iterator[Change]:
    found: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for who, one, other in differing:
        for key in {**one.properties, **other.properties}:
            old, new = one.properties.get(key, _ABSENT), other.properties.get(key, _ABSENT)
            if old is _ABSENT:
                found[key, ADDED].append({**_example(who), "new": new})
            elif new is _ABSENT:
                found[key, REMOVED].append({**_example(who), "old": old})
            elif old != new:
                found[key, CHANGED].append({**_example(who), "old": old, "new": new})

    def cause(key: str, how: str, email: str) -> Found:
        lacking = {ADDED: sides[0], REMOVED: sides[1]}.get(how)
        return of_property(email, key, sides, lacking=lacking)

    yield from _changes(found, cause)


def _consent(differing: Differing, sides: tuple[Side, Side]) -> Iterator[Change]:
    found: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for who, one, other in differing:
        old, new = one.marketing_status, other.marketing_status
        if old != new:
            found[f"{old} → {new}", CHANGED].append({**_example(who), "old": old, "new": new})
    yield from _changes(found, lambda _, how, email: of_consent(email, sides))


def _memberships(differing: Differing, sides: tuple[Side, Side]) -> Iterator[Change]:
    found: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for who, one, other in differing:
        for name in other.audiences - one.audiences:
            found[name, JOINED].append(_example(who))
        for name in one.audiences - other.audiences:
            found[name, LEFT].append(_example(who))

    yield from _changes(found, lambda name, how, email: of_membership(email, name, sides, lacking=sides[how == LEFT]))


def _changes(found: Collected, cause: Callable[[str, str, str], Found]) -> Iterator[Change]:
    """The largest groups first."""
    for (what, how), examples in sorted(found.items(), key=lambda each: (-len(each[1]), each[0])):
        why, advice = cause(what, how, examples[0]["email"])
        shown = tuple(islice(examples, EXAMPLES))
        yield Change(what=what, how=how, group=Group(count=len(examples), examples=shown, cause=why, advice=advice))


def _segments(old: EndState, new: EndState) -> Iterator[SegmentChange]:
    for key in {**old.segments, **new.segments}:
        advertiser_id, field, value = key
        sizes = old.segments.get(key, 0), new.segments.get(key, 0)
        yield SegmentChange(advertiser_id=advertiser_id, field=field, value=value, old=sizes[0], new=sizes[1])


def _example(who: Who) -> dict[str, Any]:
    return {"advertiserId": who[0], "email": who[1]}
