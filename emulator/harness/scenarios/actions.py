"""The actions of a scenario: one class for each verb, which is the key of the action in the file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from emulator.harness.client import ClockClient
from emulator.harness.scenarios.model import Document, FindPerson, Person
from emulator.harness.scenarios.run import Action, EmulatorOnly, ScenarioRun

# Written instead of the name of a token for a request without one.
ANONYMOUS = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identify(EmulatorOnly):
    """An identify call."""

    person: Person
    traits: Document

    def run(self, run: ScenarioRun) -> None:
        run.segment.identify(self.person.user_id, self.person.all_traits(self.traits))


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch(EmulatorOnly):
    """Identify calls of several people in one request."""

    people: tuple[Person, ...]

    def run(self, run: ScenarioRun) -> None:
        calls = [{"type": "identify", "userId": each.user_id, "traits": each.all_traits()} for each in self.people]
        run.segment.call("batch", {"batch": calls})


@dataclass(frozen=True, slots=True, kw_only=True)
class Track(EmulatorOnly):
    """A track call."""

    person: Person
    event: str
    properties: Document

    def run(self, run: ScenarioRun) -> None:
        run.segment.track(self.person.user_id, self.event, self.properties)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetMembership(EmulatorOnly):
    """Engage puts a person into an audience, or removes them from it."""

    audience: str
    person: Person
    enters: bool

    def run(self, run: ScenarioRun) -> None:
        change = run.segment.enter_audience if self.enters else run.segment.exit_audience
        change(self.audience, email=self.person.email, user_id=self.person.user_id, traits=self.person.traits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Advance(EmulatorOnly):
    """Time passes."""

    duration: str

    def run(self, run: ScenarioRun) -> None:
        ClockClient(run.endpoint).advance(self.duration)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault(EmulatorOnly):
    """A fault is injected."""

    definition: Document

    def run(self, run: ScenarioRun) -> None:
        run.stackadapt.add_fault(**self.definition)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete(EmulatorOnly):
    """A deletion regulation."""

    person: Person

    def run(self, run: ScenarioRun) -> None:
        run.deletions += run.segment.delete(self.person.user_id)["destinations"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphQL:
    """A request to StackAdapt. `token` is the name of a token, `ANONYMOUS`, or None for the default one."""

    needs_emulator: ClassVar[bool] = False

    document: str
    variables: Document
    token: str | None
    members: Document = field(default_factory=dict)

    @property
    def tokens(self) -> frozenset[str]:
        return frozenset() if self.token in (None, ANONYMOUS) else frozenset({str(self.token)})

    def run(self, run: ScenarioRun) -> None:
        endpoint = run.endpoint
        variables = dict(self.variables)
        if "$advertiserId" in self.document:
            variables.setdefault("advertiserId", endpoint.advertiser_id)
        secret = endpoint.token if self.token is None else endpoint.tokens.get(self.token)
        run.responses.append(
            endpoint.client.post(
                endpoint.graphql_path,
                json={"query": self.document, "variables": variables, **self.members},
                headers={} if secret is None else {"authorization": f"Bearer {secret}"},
            )
        )


Reader = Callable[[Document, FindPerson], Action]

READERS: Mapping[str, Reader] = {
    "identify": lambda given, find: Identify(person=find(given["identify"]), traits=given.get("traits", {})),
    "batch": lambda given, find: Batch(people=tuple(map(find, given["batch"]))),
    "track": lambda given, find: Track(
        person=find(given["person"]), event=given["track"], properties=given.get("properties", {})
    ),
    "enter": lambda given, find: SetMembership(audience=given["enter"], person=find(given["person"]), enters=True),
    "exit": lambda given, find: SetMembership(audience=given["exit"], person=find(given["person"]), enters=False),
    "advance": lambda given, _: Advance(duration=given["advance"]),
    "fault": lambda given, _: Fault(definition=given),
    "delete": lambda given, find: Delete(person=find(given["delete"])),
    "graphql": lambda given, _: GraphQL(
        document=given["graphql"],
        variables=given.get("variables", {}),
        token=given.get("token"),
        members=given.get("members", {}),
    ),
}


def read_action(given: Document, find: FindPerson) -> Action:
    """The action of an item of `when` that matches the schema."""
    verb = next(verb for verb in READERS if verb in given)
    return READERS[verb](given, find)
