"""What can happen in a scenario. One class a verb; the verb is the key that the step is written under."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from emulator.harness.client import ClockClient
from emulator.harness.scenarios.model import Person
from emulator.harness.scenarios.stage import ScenarioRun

# What is written in place of a token's name for a request without one.
ANONYMOUS = "none"

Document = Mapping[str, Any]
# Finds a person by name; raises InputError for a name that nobody has.
FindPerson = Callable[[str], Person]


class Action(Protocol):
    """One thing that happens."""

    @property
    def needs_emulator(self) -> bool:
        """Whether GraphQL alone cannot do it."""
        ...

    @property
    def tokens(self) -> frozenset[str]:
        """Names of tokens that it needs besides the one that may write."""
        ...

    def run(self, stage: ScenarioRun) -> None:
        """Does it. Raises EmulatorError when it is refused, HTTPError when nobody answers."""
        ...


class _AtAnEmulator:
    """What needs more than GraphQL, and no token."""

    __slots__ = ()
    needs_emulator: ClassVar[bool] = True
    tokens: ClassVar[frozenset[str]] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Identify(_AtAnEmulator):
    """An identify call."""

    person: Person
    traits: Document

    def run(self, stage: ScenarioRun) -> None:
        stage.segment.identify(self.person.user_id, self.person.told(self.traits))


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch(_AtAnEmulator):
    """Identify calls of several people in one request."""

    people: tuple[Person, ...]

    def run(self, stage: ScenarioRun) -> None:
        calls = [{"type": "identify", "userId": each.user_id, "traits": each.told()} for each in self.people]
        stage.segment.call("batch", {"batch": calls})


@dataclass(frozen=True, slots=True, kw_only=True)
class Track(_AtAnEmulator):
    """A track call."""

    person: Person
    event: str
    properties: Document

    def run(self, stage: ScenarioRun) -> None:
        stage.segment.track(self.person.user_id, self.event, self.properties)


@dataclass(frozen=True, slots=True, kw_only=True)
class Enter(_AtAnEmulator):
    """Engage puts somebody into an audience."""

    audience: str
    person: Person

    def run(self, stage: ScenarioRun) -> None:
        who = self.person
        stage.segment.enter_audience(self.audience, email=who.email, user_id=who.user_id, traits=who.traits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit(_AtAnEmulator):
    """Engage takes somebody out of an audience."""

    audience: str
    person: Person

    def run(self, stage: ScenarioRun) -> None:
        who = self.person
        stage.segment.exit_audience(self.audience, email=who.email, user_id=who.user_id, traits=who.traits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Advance(_AtAnEmulator):
    """Time passes."""

    duration: str

    def run(self, stage: ScenarioRun) -> None:
        ClockClient(stage.endpoint).advance(self.duration)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault(_AtAnEmulator):
    """Something goes wrong from now on."""

    definition: Document

    def run(self, stage: ScenarioRun) -> None:
        stage.stackadapt.add_fault(**self.definition)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete(_AtAnEmulator):
    """A deletion regulation."""

    person: Person

    def run(self, stage: ScenarioRun) -> None:
        stage.deletions += stage.segment.delete(self.person.user_id)["destinations"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphQL:
    """A request to StackAdapt. `token` is None for the one that may write, `ANONYMOUS` for none."""

    needs_emulator: ClassVar[bool] = False

    document: str
    variables: Document
    token: str | None
    members: Document = field(default_factory=dict)

    @property
    def tokens(self) -> frozenset[str]:
        return frozenset() if self.token in (None, ANONYMOUS) else frozenset({str(self.token)})

    def run(self, stage: ScenarioRun) -> None:
        endpoint = stage.endpoint
        variables = dict(self.variables)
        if "$advertiserId" in self.document:
            variables.setdefault("advertiserId", endpoint.advertiser_id)
        secret = endpoint.token if self.token is None else endpoint.tokens.get(self.token)
        stage.answers.append(
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
    "enter": lambda given, find: Enter(audience=given["enter"], person=find(given["person"])),
    "exit": lambda given, find: Exit(audience=given["exit"], person=find(given["person"])),
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
    """A step's `when` item that fits the schema."""
    verb = next(verb for verb in READERS if verb in given)
    return READERS[verb](given, find)
