"""What can be expected in a scenario. One class a kind, named by the key that it is written under."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from emulator.harness.scenarios.actions import Document, FindPerson
from emulator.harness.scenarios.format import counted, described, listed, says, short
from emulator.harness.scenarios.graphql_expectation import GraphQLResponses
from emulator.harness.scenarios.model import Person
from emulator.harness.scenarios.results import Check
from emulator.harness.scenarios.stage import ScenarioRun, Shown


class Expectation(Protocol):
    """Something that must be true."""

    @property
    def needs_emulator(self) -> bool:
        """Whether GraphQL alone cannot tell."""
        ...

    def check(self, stage: ScenarioRun) -> Iterator[Check]:
        """Looks whether it is. Raises EmulatorError when the question is refused, HTTPError when nobody answers."""
        ...


class AtAnEmulator:
    """What only the control API can tell."""

    __slots__ = ()
    needs_emulator: ClassVar[bool] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Profiles(AtAnEmulator):
    """These people are visible in StackAdapt, and nobody else. `known` is what must be known of some of them."""

    people: tuple[Person, ...]
    known: Mapping[str, Document]

    def check(self, stage: ScenarioRun) -> Iterator[Check]:
        found = {stage.name_of(profile["email"]): profile for profile in stage.stackadapt.profiles()}
        names = [person.name for person in self.people]
        yield check(stage, f"visible in StackAdapt: {listed(names)}", listed(found), listed(names) == listed(found))
        for name, known in self.known.items():
            if name in found:
                yield from _known(stage, name, known, found[name])


def _known(stage: ScenarioRun, name: str, expected: Document, profile: Shown) -> Iterator[Check]:
    for key, values in (
        ("in", [audience["name"] for audience in profile["audiences"]]),
        ("externalIds", profile["externalIds"]),
    ):
        if key in expected:
            text = f"{name}, {'audiences' if key == 'in' else 'external ids'}: {listed(expected[key])}"
            yield check(stage, text, listed(values), listed(values) == listed(expected[key]))
    if status := expected.get("marketingStatus"):
        found = profile["marketingStatus"]
        yield check(stage, f"{name}, marketing status: {status}", found, found == status)
    for key, value in expected.get("properties", {}).items():
        found = profile["properties"].get(key)
        yield check(stage, f"{name}, {key}: {short(value)}", short(found), found == value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment(AtAnEmulator):
    """A segment with a rule has these members, and nobody else."""

    rule: Document
    members: tuple[Person, ...]

    def check(self, stage: ScenarioRun) -> Iterator[Check]:
        found = listed(stage.name_of(email) for email in stage.stackadapt.segment(self.rule)["members"])
        names = listed(person.name for person in self.members)
        yield check(stage, f"members of the segment {short(self.rule)}: {names}", found, found == names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejections(AtAnEmulator):
    """StackAdapt refused so many records for each reason, and none for another."""

    expected: Mapping[str, int]

    def check(self, stage: ScenarioRun) -> Iterator[Check]:
        found = Counter(each["reason"] for each in stage.stackadapt.rejections())
        text = f"records that StackAdapt refused: {counted(self.expected)}"
        yield check(stage, text, counted(found), found == self.expected)


@dataclass(frozen=True, slots=True, kw_only=True)
class Records(AtAnEmulator):
    """StackAdapt has so many records of each outcome, and none of another."""

    expected: Mapping[str, int]

    def check(self, stage: ScenarioRun) -> Iterator[Check]:
        found = Counter(each["outcome"] for each in stage.stackadapt.records())
        yield check(stage, f"records at StackAdapt: {counted(self.expected)}", counted(found), found == self.expected)


@dataclass(frozen=True, slots=True, kw_only=True)
class Audiences(AtAnEmulator):
    """So many people are in each of these audiences at Segment."""

    expected: Mapping[str, int]

    def check(self, stage: ScenarioRun) -> Iterator[Check]:
        sizes = {each["key"]: each["size"] for each in stage.segment.audiences()}
        found = {key: sizes[key] for key in self.expected}
        yield check(stage, f"people at Segment: {counted(self.expected)}", counted(found), found == self.expected)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliveries(AtAnEmulator):
    """So many of the events that Engage sent out are like this."""

    person: Person | None
    wanted: Document
    message: str | None
    times: int

    def check(self, stage: ScenarioRun) -> Iterator[Check]:
        found = stage.segment.deliveries(userId=self.person.user_id if self.person else None)
        alike = [each for each in found if self._fits(each)]
        text = f"events that are {described(self.wanted)}{_about(self.person)}{_saying(self.message)}: {self.times}"
        yield check(stage, text, f"{len(alike)} of {len(found)}", len(alike) == self.times)

    def _fits(self, delivery: Shown) -> bool:
        alike = all(delivery[name] == value for name, value in self.wanted.items())
        return alike and says(delivery["message"], self.message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests(AtAnEmulator):
    """StackAdapt was asked so often like this."""

    person: Person | None
    criteria: Document
    outcome: str | None
    contains: str | None
    times: int

    def check(self, stage: ScenarioRun) -> Iterator[Check]:
        alike = [
            each
            for each in stage.stackadapt.journal(**self.criteria, email=self.person.email if self.person else None)
            if self.outcome in (None, each["outcome"]) and says(_document(each["request"]), self.contains)
        ]
        wanted = {**self.criteria, **({"outcome": self.outcome} if self.outcome else {})}
        text = f"requests to StackAdapt: {described(wanted)}{_about(self.person)}{_saying(self.contains)}: {self.times}"
        yield check(stage, text, str(len(alike)), len(alike) == self.times)


def _document(request: str) -> str:
    """The GraphQL document in a body, or the body when there is none."""
    try:
        body = json.loads(request)
    except ValueError:
        return request
    return str(body.get("query")) if isinstance(body, dict) else request


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletions(AtAnEmulator):
    """The deletions of this step came to this at each destination."""

    expected: tuple[Document, ...]

    def check(self, stage: ScenarioRun) -> Iterator[Check]:
        wanted = [each["outcome"] for each in self.expected]
        found = [each["outcome"] for each in stage.deletions]
        yield check(stage, f"deletions at the destinations: {', '.join(wanted)}", ", ".join(found), found == wanted)
        for expected, deletion in zip(self.expected, stage.deletions, strict=False):
            if part := expected.get("message"):
                message = deletion["message"]
                yield check(stage, f"the deletion's message contains {part!r}", str(message), says(message, part))


def check(stage: ScenarioRun, expected: str, found: str, passed: bool) -> Check:
    """A check; the stories of everybody come along when it does not hold."""
    return Check(expected=expected, found=found, passed=passed, timelines=() if passed else stage.timelines())


def _about(person: Person | None) -> str:
    return f", about {person.name}" if person else ""


def _saying(part: str | None) -> str:
    return f", containing {part!r}" if part else ""


Reader = Callable[[Any, FindPerson], Expectation]


def _read_profiles(given: Any, find: FindPerson) -> Profiles:
    items = [{"person": each} if isinstance(each, str) else each for each in given]
    people = tuple(find(each["person"]) for each in items)
    return Profiles(people=people, known={each["person"]: each for each in items})


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
    "rejections": lambda given, _: Rejections(expected=given),
    "records": lambda given, _: Records(expected=given),
    "audiences": lambda given, _: Audiences(expected=given),
    "answers": lambda given, _: GraphQLResponses(expected=tuple(given)),
    "deletions": lambda given, _: Deletions(expected=tuple(given)),
}
# Of these each line of the list is an expectation of its own.
LINE_READERS: Mapping[str, Reader] = {
    "segments": lambda given, find: Segment(rule=given["rule"], members=tuple(map(find, given["members"]))),
    "deliveries": _read_delivery,
    "requests": _read_request,
}


def read_expectations(given: Document, find: FindPerson) -> Iterator[tuple[str, Expectation]]:
    """What a step's `then`, which fits the schema, expects, each with its place in it: `profiles`, `requests[1]`."""
    for kind, expected in given.items():
        if kind in READERS:
            yield kind, READERS[kind](expected, find)
        else:
            for index, line in enumerate(expected):
                yield f"{kind}[{index}]", LINE_READERS[kind](line, find)
