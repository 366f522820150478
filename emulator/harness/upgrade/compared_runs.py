"""Compares two sides: deliveries, requests, records and ends, each difference with its level and its cause."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from graphql import DocumentNode

from emulator.harness.plan import ADDED, JOINED, LEFT, REMOVED, CallsOf, Change, Group, Plan, Sent, compared
from emulator.harness.upgrade.deleted_people import DELETED, deletion_changes
from emulator.harness.upgrade.request_differences import ORDER, Noted, noted
from emulator.harness.upgrade.side_runs import SentBatch, SideRun, names_of, who_of
from emulator.harness.upgrade.sides import DELETIONS, Place
from emulator.harness.upgrade.upgrade_causes import Causes, Reason
from emulator.harness.upgrade.upgrade_findings import (
    CHANGES,
    CONSENT,
    DELETION,
    DELIVERY,
    EXAMPLES,
    HARMLESS,
    LEVELS,
    LOSES,
    MEMBERSHIP,
    PROFILE,
    PROPERTY,
    RECORD,
    REQUEST,
    Fates,
    SideNumbers,
    Upgrade,
    UpgradeFinding,
)
from emulator.harness.why import Stop

_RAISE = "No change of the mapping was found that keeps it: raise it with Segment before the upgrade."


class _Unasked:
    """A side of a comparison whose ends are explained by its requests (`_Findings`), not by its people."""

    def stop(self, email: str | None, *, user_id: str | None = None, property_key: str | None = None) -> None:
        """No answer."""

    def not_in_audience(self, email: str, audience_name: str) -> Stop:
        """An answer that no finding shows."""
        return Stop(stage="audience", reason="NOT_ASKED", message="the requests say it", advice="")

    def sent(self, email: str) -> Sent:
        """Nothing to compare."""
        return {}


class _Lost(NamedTuple):
    """Events of one subscription that get to StackAdapt on one side only, and why not on the other."""

    place: Place
    problem: str
    gained: bool


def upgrade_between(old: SideRun, new: SideRun, population: CallsOf) -> Upgrade:
    """What differs between two runs of the same batches."""
    names = (old.side.name, new.side.name)
    plan = compared(old.end, new.end, (_Unasked(), _Unasked()), population=population, names=names, difference=())
    findings = _Findings(old, new).all(plan)
    findings.sort(key=lambda each: (LEVELS.index(each.level), -each.count))
    return Upgrade(sides=(_numbers(old), _numbers(new)), plan=plan, findings=findings)


def _numbers(run: SideRun) -> SideNumbers:
    return SideNumbers(
        name=run.side.name,
        api_version=run.api_version,
        events=_fates(run.sent),
        requests=sum(each.body is not None for each in run.sent),
        deletions=_fates(run.deletions),
        deleted=len(run.deleted),
    )


def _fates(sent: Sequence[SentBatch]) -> Fates:
    counts = Counter(_fate(each, index) for each in sent for index in range(len(each.batch.events)))
    return Fates(arrived=counts["arrived"], rejected=counts["rejected"], refused=counts["refused"])


def _fate(each: SentBatch, index: int) -> str:
    if each.arrived(index):
        return "arrived"
    if each.problem(index) is None:
        return "not subscribed"
    return "rejected" if each.stopped[index] is not None else "refused"


class _Findings:
    def __init__(self, old: SideRun, new: SideRun) -> None:
        self._old, self._new = old, new
        self._causes = Causes(old.side, new.side)
        self._noted = noted(old, new)
        self._deliveries: dict[_Lost, list[dict[str, Any]]] = defaultdict(list)
        # Of whom events get to StackAdapt on one side only, by email and user id.
        self._lost_of: dict[str, dict[_Lost, None]] = defaultdict(dict)
        self._documents: dict[_Lost, DocumentNode | None] = {}
        for one, other in zip(old.asked, new.asked, strict=True):
            self._read_delivery(one, other)

    def all(self, plan: Plan) -> list[UpgradeFinding]:
        ends = [*self._ends(plan)]
        return [*self._delivered(), *ends, *_joined([*self._requests(ends)])]

    def _read_delivery(self, one: SentBatch, other: SentBatch) -> None:
        for index, event in enumerate(one.batch.events):
            if one.arrived(index) == other.arrived(index):
                continue
            gained = other.arrived(index)
            problem = (one if gained else other).problem(index) or "no trigger takes it"
            lost = _Lost(one.batch.place, problem, gained)
            self._deliveries[lost].append({**who_of(event), "event": event.get("event") or event.get("type")})
            # A person whose deletion is lost is no person whose events are.
            for name in () if one.batch.deletes else names_of(event):
                self._lost_of[name][lost] = None
            if not gained and other.parts is not None and other.stopped[index] is None:
                self._documents[lost] = other.parts.document

    def _delivered(self) -> Iterator[UpgradeFinding]:
        for lost, examples in self._deliveries.items():
            reason = _all_of(self._of_delivery(lost))
            yield UpgradeFinding(
                level=CHANGES if lost.gained else LOSES,
                part=DELIVERY,
                what=_named(lost.place),
                how="accepted" if lost.gained else "lost",
                count=len(examples),
                examples=tuple(examples[:EXAMPLES]),
                cause=reason.cause,
                advice=reason.advice,
            )

    def _of_delivery(self, lost: _Lost) -> list[Reason]:
        if lost.gained:
            return [Reason(f"{self._old.side.name} did not deliver them: {lost.problem}", None)]
        if lost in self._documents:
            advice = self._causes.of_refusal(self._documents[lost])
            return [Reason(f"StackAdapt, API version {self._new.api_version}: {lost.problem}", advice)]
        gaps = self._causes.gaps(lost.place)
        return gaps or [Reason(lost.problem, "Correct the mapping, or the event that it is made of.")]

    def _ends(self, plan: Plan) -> Iterator[UpgradeFinding]:
        for group in plan.lost:
            yield self._end(LOSES, PROFILE, "profiles", "lost", group)
        for group in plan.gained:
            yield self._end(CHANGES, PROFILE, "profiles", "gained", group)
        levels: tuple[tuple[str, Sequence[Change], str], ...] = (
            (PROPERTY, plan.properties, REMOVED),
            (CONSENT, plan.consent, ""),
            (MEMBERSHIP, plan.memberships, LEFT),
        )
        for part, changes, losing in levels:
            for each in changes:
                yield self._end(LOSES if each.how == losing else CHANGES, part, each.what, each.how, each.group)
        for deletion in deletion_changes(self._old, self._new):
            yield self._end(deletion.level, DELETION, deletion.what, deletion.how, deletion.group)

    def _end(self, level: str, part: str, what: str, how: str, group: Group) -> UpgradeFinding:
        reason = self._of_end(part, what, how, group) or self._of_others(group)
        return UpgradeFinding(
            level=level,
            part=part,
            what=what,
            how=how,
            count=group.count,
            examples=group.examples,
            cause=reason.cause,
            advice=_advice(level, reason),
        )

    def _of_others(self, group: Group) -> Reason:
        """The cause of an end that no difference in the same thing explains."""
        causes = [group.cause] if group.cause.startswith("StackAdapt") else []
        others = ", ".join(dict.fromkeys(each.what for each in self._noted if each.concern is None))
        if others:
            causes.append(f"the requests or the records differ in {others}")
        if self._old.api_version != self._new.api_version:
            causes.append(f"StackAdapt has API version {self._new.api_version} instead of {self._old.api_version}")
        return Reason("; ".join(causes) or group.cause, None)

    def _of_end(self, part: str, what: str, how: str, group: Group) -> Reason | None:
        """The cause: a difference of records or requests in the same thing, or what happened to the person's events."""
        concerned = self._concerned(part, what)
        if concerned:
            return self._of_noted(concerned[0], named=True)
        gained = how in ("gained", ADDED, JOINED, DELETED)
        lost = [each for each in self._lost_for(part, group.examples[0]["email"]) if each.gained == gained]
        return _all_of([reason for each in lost for reason in self._of_delivery(each)]) if lost else None

    def _concerned(self, part: str, what: str) -> list[Noted]:
        """The differences in one thing, those of records first."""
        wanted = (part, what if part == PROPERTY else "")
        return sorted((each for each in self._noted if each.concern == wanted), key=lambda each: each.part != RECORD)

    def _requests(self, ends: Sequence[UpgradeFinding]) -> Iterator[UpgradeFinding]:
        """The differences of requests and records, as bad as what they do to profiles."""
        unexplained = [each.level for each in ends if not self._explained(each)]
        for each in self._noted:
            levels, cause = unexplained, each
            if each.concern is not None:
                part, what = each.concern
                levels = [end.level for end in ends if end.part == part and what in ("", end.what)]
                cause = self._concerned(part, what)[0] if part == PROPERTY else each
            reason = self._of_noted(cause)
            level = LOSES if each.refused else min(levels, key=LEVELS.index, default=HARMLESS)
            yield UpgradeFinding(
                level=level,
                part=each.part,
                what=each.what,
                how=each.how,
                count=each.count,
                examples=tuple(each.examples),
                cause=reason.cause,
                advice=_advice(level, reason),
            )

    def _explained(self, end: UpgradeFinding) -> bool:
        if self._concerned(end.part, end.what):
            return True
        return bool(self._lost_for(end.part, end.examples[0]["email"]))

    def _lost_for(self, part: str, email: str) -> list[_Lost]:
        """What got to StackAdapt on one side only, and may explain an end."""
        if part == DELETION:
            return [each for each in self._deliveries if each.place[1] == DELETIONS]
        return [*self._lost_of.get(email.lower(), ())]

    def _of_noted(self, each: Noted, *, named: bool = False) -> Reason:
        """The cause of a difference; `named` says where it is."""
        if each.part == RECORD:
            return self._causes.of_member(each.place, each.event, each.what)
        cause, advice = _of_request(each, self._old.side.name, self._new.side.name)
        return Reason(f"{each.what}: {cause}" if named else cause, advice)


def _named(place: Place) -> str:
    destination, subscription = place
    return (
        f"deletions at {destination!r}"
        if subscription == DELETIONS
        else f"events of {subscription!r} to {destination!r}"
    )


def _advice(level: str, reason: Reason) -> str | None:
    if level == HARMLESS:
        return None
    return reason.advice or (_RAISE if level == LOSES else None)


def _all_of(reasons: Sequence[Reason]) -> Reason:
    """Several reasons as one."""
    causes = dict.fromkeys(each.cause for each in reasons)
    advice = dict.fromkeys(each.advice for each in reasons if each.advice)
    return Reason("; ".join(causes), " ".join(advice) or None)


def _of_request(each: Noted, old: str, new: str) -> Reason:
    advice = None
    if each.concern == (CONSENT, ""):
        advice = f"Check that marketing_status of {each.place[1]!r} says what people have agreed to."
    if each.how == REMOVED:
        return Reason(f"{old} writes it, {new} does not", advice)
    if each.how == ADDED:
        return Reason(f"{new} writes it, {old} does not", advice)
    return Reason(f"{new} writes {'another order' if each.what == ORDER else 'another value'} than {old}", advice)


_COLUMN = " column "


def _joined(findings: Sequence[UpgradeFinding]) -> Iterator[UpgradeFinding]:
    """Harmless differences of columns in one finding for each root field and kind: there may be many."""
    groups: dict[tuple[str, str], list[UpgradeFinding]] = defaultdict(list)
    for each in findings:
        root_field, column, _ = each.what.partition(_COLUMN)
        if each.part == REQUEST and column and each.level == HARMLESS:
            groups[root_field, each.how].append(each)
        else:
            yield each
    for (root_field, _), group in groups.items():
        keys = ", ".join(each.what.partition(_COLUMN)[2] for each in group)
        plural = "s" if len(group) > 1 else ""
        yield replace(group[0], what=f"{root_field} column{plural} {keys}")
