"""The expectations of a scenario: one class for each key of `then`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from emulator.harness.scenarios.format import counted, described, listed, says, short
from emulator.harness.scenarios.graphql_expectation import GraphQLResponses
from emulator.harness.scenarios.model import Check, Document, FindPerson, Person
from emulator.harness.scenarios.run import EmulatorOnly, Expectation, ScenarioRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Profiles(EmulatorOnly):
    """Exactly these people are visible in StackAdapt. `details` is what else is expected, by name."""

    people: tuple[Person, ...]
    details: Mapping[str, Document]

    def check(self, run: ScenarioRun) -> Iterator[Check]:
        found = {run.name_of(profile["email"]): profile for profile in run.stackadapt.profiles()}
        names = [person.name for person in self.people]
        yield _check(run, f"visible in StackAdapt: {listed(names)}", listed(found), listed(names) == listed(found))
        for name, expected in self.details.items():
            if name in found:
                yield from _profile_checks(run, name, expected, found[name])


def _profile_checks(run: ScenarioRun, name: str, expected: Document, profile: Document) -> Iterator[Check]:
    for key, values in (
        ("in", [audience["name"] for audience in profile["audiences"]]),
        ("externalIds", profile["externalIds"]),
    ):
        if key in expected:
            text = f"{name}, {'audiences' if key == 'in' else 'external ids'}: {listed(expected[key])}"
            yield _check(run, text, listed(values), listed(values) == listed(expected[key]))
    if status := expected.get("marketingStatus"):
        found = profile["marketingStatus"]
        yield _check(run, f"{name}, marketing status: {status}", found, found == status)
    for key, value in expected.get("properties", {}).items():
        found = profile["properties"].get(key)
        yield _check(run, f"{name}, {key}: {short(value)}", short(found), found == value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment(EmulatorOnly):
    """A segment with a rule has exactly these members."""

    rule: Document
    members: tuple[Person, ...]

    def check(self, run: ScenarioRun) -> Iterator[Check]:
        found = listed(run.name_of(email) for email in run.stackadapt.segment(self.rule)["members"])
        names = listed(person.name for person in self.members)
        yield _check(run, f"members of the segment {short(self.rule)}: {names}", found, found == names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts(EmulatorOnly):
    """Numbers of something by name; `count` returns what is found, which must be equal."""

    label: str
    expected: Mapping[str, int]
    count: Callable[[ScenarioRun], Mapping[str, int]]

    def check(self, run: ScenarioRun) -> Iterator[Check]:
        found = self.count(run)
        yield _check(run, f"{self.label}: {counted(self.expected)}", counted(found), found == self.expected)


def _rejections(run: ScenarioRun) -> Mapping[str, int]:
    return Counter(each["reason"] for each in run.stackadapt.rejections())


def _records(run: ScenarioRun) -> Mapping[str, int]:
    return Counter(each["outcome"] for each in run.stackadapt.records())


def _read_audiences(given: Any, _: FindPerson) -> Counts:
    def sizes(run: ScenarioRun) -> Mapping[str, int]:
        return {each["key"]: each["size"] for each in run.segment.audiences() if each["key"] in given}

    return Counts(label="people in Segment", expected=given, count=sizes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliveries(EmulatorOnly):
    """A number of events that Engage emitted match."""

    person: Person | None
    wanted: Document
    message: str | None
    times: int

    def check(self, run: ScenarioRun) -> Iterator[Check]:
        found = run.segment.deliveries(userId=self.person.user_id if self.person else None)
        matching = [each for each in found if self._fits(each)]
        text = f"events with {described(self.wanted)}{_about(self.person)}{_saying(self.message)}: {self.times}"
        yield _check(run, text, f"{len(matching)} of {len(found)}", len(matching) == self.times)

    def _fits(self, delivery: Document) -> bool:
        matches = all(delivery[name] == value for name, value in self.wanted.items())
        return matches and says(delivery["message"], self.message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests(EmulatorOnly):
    """StackAdapt received a number of requests that match."""

    person: Person | None
    criteria: Document
    outcome: str | None
    contains: str | None
    times: int

    def check(self, run: ScenarioRun) -> Iterator[Check]:
        matching = [
            each
            for each in run.stackadapt.journal(**self.criteria, email=self.person.email if self.person else None)
            if self.outcome in (None, each["outcome"]) and says(_document(each["request"]), self.contains)
        ]
        wanted = {**self.criteria, **({"outcome": self.outcome} if self.outcome else {})}
        text = f"requests to StackAdapt: {described(wanted)}{_about(self.person)}{_saying(self.contains)}: {self.times}"
        yield _check(run, text, str(len(matching)), len(matching) == self.times)


def _document(request: str) -> str:
    """The GraphQL document of a request body, or the body when there is none."""
    try:
        body = json.loads(request)
    except ValueError:
        return request
    return str(body.get("query")) if isinstance(body, dict) else request


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletions(EmulatorOnly):
    """The outcomes of this step's deletions at each destination, in order."""

    expected: tuple[Document, ...]

    def check(self, run: ScenarioRun) -> Iterator[Check]:
        wanted = [each["outcome"] for each in self.expected]
        found = [each["outcome"] for each in run.deletions]
        yield _check(run, f"deletions at the destinations: {', '.join(wanted)}", ", ".join(found), found == wanted)
        for expected, deletion in zip(self.expected, run.deletions, strict=False):
            if part := expected.get("message"):
                message = deletion["message"]
                yield _check(run, f"the deletion's message contains {part!r}", str(message), says(message, part))


def _check(run: ScenarioRun, expected: str, found: str, passed: bool) -> Check:
    """A check, with all timelines when it failed."""
    return Check(expected=expected, found=found, passed=passed, timelines=() if passed else run.timelines())


def _about(person: Person | None) -> str:
    return f", about {person.name}" if person else ""


def _saying(part: str | None) -> str:
    return f", containing {part!r}" if part else ""


Reader = Callable[[Any, FindPerson], Expectation]


def _read_profiles(given: Any, find: FindPerson) -> Profiles:
    items = [{"person": each} if isinstance(each, str) else each for each in given]
    people = tuple(find(each["person"]) for each in items)
    return Profiles(people=people, details={each["person"]: each for each in items})


def _read_delivery(given: Any, find: FindPerson) -> Deliveries:
    return Deliveries(
        person=find(given["person"]) if "person" in given else None,
        wanted={name: given[name] for name in ("type", "outcome", "reason", "segmentReports") if name in given},
        message=given.get("message"),
        times=given.get("times", 1),
    )


def _read_request(given: Any, find: FindPerson) -> Requests:
    return Requests(
        person=find(given["person"]) if "person" in given else None,
        criteria={name: given[name] for name in ("operation", "status") if name in given},
        outcome=given.get("outcome"),
        contains=given.get("contains"),
        times=given.get("times", 1),
    )


READERS: Mapping[str, Reader] = {
    "profiles": _read_profiles,
    "rejections": lambda given, _: Counts(label="records that StackAdapt rejected", expected=given, count=_rejections),
    "records": lambda given, _: Counts(label="records in StackAdapt", expected=given, count=_records),
    "audiences": _read_audiences,
    "answers": lambda given, _: GraphQLResponses(expected=tuple(given)),
    "deletions": lambda given, _: Deletions(expected=tuple(given)),
}
# Each item of these lists is a separate expectation.
LINE_READERS: Mapping[str, Reader] = {
    "segments": lambda given, find: Segment(rule=given["rule"], members=tuple(map(find, given["members"]))),
    "deliveries": _read_delivery,
    "requests": _read_request,
}


def read_expectations(given: Document, find: FindPerson) -> Iterator[tuple[str, Expectation]]:
    """The expectations of a `then` that matches the schema, each with its place in it: `profiles`, `requests[1]`."""
    for kind, expected in given.items():
        if kind in READERS:
            yield kind, READERS[kind](expected, find)
        else:
            for index, line in enumerate(expected):
                yield f"{kind}[{index}]", LINE_READERS[kind](line, find)
