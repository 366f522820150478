"""What must be true of a sandbox at any time, read through the control API with its clock stopped."""

from __future__ import annotations

import gzip
import json
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable
from typing import Any

from tests.fuzz import oracle
from tests.fuzz.connection import Connection, Violation
from tests.fuzz.operations import load

_PAGE = 10_000
OF_EVENTS = frozenset({"sent", "discarded", "rejected", "retrying", "failed", "queued"})


def check(to: Connection) -> None:
    """Raises Violation for the first invariant that does not hold."""
    to.control("POST", "clock/freeze")
    counts = to.read("counts")
    deliveries = to.read(f"deliveries?limit={_PAGE}")["deliveries"]
    records = to.read(f"records?limit={_PAGE}")["records"]
    profiles = to.read(f"profiles?limit={_PAGE}")["profiles"]
    _check_events(counts["segment"], deliveries)
    _check_records(counts["stackadapt"], records)
    _check_sent(deliveries, records, deleted=bool(to.read("regulations")["regulations"]))
    _check_profiles(counts["stackadapt"], profiles)
    _check_space(to.read(f"space/profiles?limit={_PAGE}")["profiles"], to.read("audiences")["audiences"])
    _check_segments(to, profiles)
    _check_snapshot(to)


def _require(holds: bool, invariant: str, **found: Any) -> None:
    if not holds:
        raise Violation(f"invariant: {invariant}\n  {found}")


def _twice(keys: Iterable[Hashable]) -> list[Hashable]:
    return [key for key, times in Counter(keys).items() if times > 1]


def _check_events(counts: Any, deliveries: list[Any]) -> None:
    outcomes = Counter(each["outcome"] for each in deliveries)
    _require(outcomes == Counter(counts["outcomes"]), "outcomes are those of the list", counts=counts, found=outcomes)
    _require(sum(outcomes.values()) == counts["events"], "every event has one outcome", counts=counts)
    _require(outcomes.keys() <= OF_EVENTS, "every outcome is a known one", found=outcomes)
    keys = ((each["messageId"], each["destination"], each["subscription"]) for each in deliveries)
    _require(not (twice := _twice(keys)), "an event is listed once", found=twice)
    for outcome, reasons in counts["reasons"].items():
        _require(sum(reasons.values()) <= counts["outcomes"].get(outcome, 0), "reasons add up", counts=counts)


def _check_records(counts: Any, records: list[Any]) -> None:
    outcomes = Counter(each["outcome"] for each in records)
    listed = Counter({name: number for name, number in counts["records"].items() if number})
    _require(outcomes == listed, "every record has one outcome", counts=counts, found=outcomes)
    twice = _twice((each["requestId"], each["index"], each["replay"]) for each in records)
    _require(not twice, "a record is listed once", found=twice)
    rejected = sum(counts["rejections"].values())
    _require(rejected == outcomes["rejected"], "rejections have a reason each", counts=counts)


def _check_sent(deliveries: list[Any], records: list[Any], *, deleted: bool) -> None:
    """The funnel between the services: a request brings what it was sent with.

    With the person Segment deletes the events, and StackAdapt's records of them stay.
    """
    sent = Counter(each["traceId"] for each in deliveries if each["outcome"] == "sent")
    arrived = Counter(each["requestId"] for each in records)
    different = {trace: (number, arrived[trace]) for trace, number in sent.items() if number != arrived[trace]}
    lost = {trace: numbers for trace, numbers in different.items() if numbers[0] > numbers[1]}
    _require(not (lost if deleted else different), "a sent event is one record", found=different)


def _check_profiles(counts: Any, profiles: list[Any]) -> None:
    twice = _twice((each["advertiserId"], each["email"]) for each in profiles)
    _require(not twice, "one profile an email", found=twice)
    folded = [each["email"] for each in profiles if each["email"] != each["email"].strip().lower()]
    _require(not folded, "emails are stored in one form", found=folded)
    _require(counts["profiles"] == len(profiles), "all profiles are listed", counts=counts, found=len(profiles))
    for each in profiles:
        twice = _twice((audience["provider"], audience["id"]) for audience in each["audiences"])
        _require(not twice, "one membership an audience", found=each)


def _check_space(profiles: list[Any], audiences: list[Any]) -> None:
    owners: dict[Any, set[str]] = defaultdict(set)
    for each in profiles:
        for known in each["externalIds"]:
            owners[known["type"], known["id"]].add(each["id"])
    shared = {key: sorted(ids) for key, ids in owners.items() if len(ids) > 1}
    _require(not shared, "an external id has one profile", found=shared)
    sizes = Counter(key for each in profiles for key in each["audiences"])
    wrong = [each for each in audiences if each["size"] != sizes[each["key"]]]
    _require(not wrong, "an audience has the members that list it", found=wrong, counted=sizes)


def _check_segments(to: Connection, profiles: list[Any]) -> None:
    for listed in to.read("segments")["segments"]:
        segment = to.read(f"segments/{listed['id']}?limit={_PAGE}")
        members = segment["members"]
        _require(segment["size"] == listed["size"] == len(members), "a segment has the size listed", found=segment)
        if oracle.understands(segment["rule"]):
            own = [each for each in profiles if each["advertiserId"] == segment["advertiserId"]]
            expected = oracle.members(segment["rule"], own)
            differing = [each for each in own if (each["email"] in members) != (each["email"] in expected)]
            _require(members == expected, "a segment has the members computed", segment=segment, profiles=differing)


def _check_snapshot(to: Connection) -> None:
    saved = to.control("GET", "snapshot").content
    answer = load(to, saved)
    _require(answer.status_code == 200, "a saved snapshot loads", status=answer.status_code, text=answer.text)
    again = to.control("GET", "snapshot").content
    if again != saved:
        before, after = (gzip.decompress(each).splitlines() for each in (saved, again))
        differing = [(one, other) for one, other in zip(before, after, strict=False) if one != other][:2]
        _require(False, "a loaded snapshot is the saved one", found=json.dumps(str(differing)))
