"""A scenario, its parts, its workspace, and the state of one that runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from emulator.artefacts import fixture
from emulator.errors import WorkspaceError
from emulator.harness.client import Endpoint, SegmentClient, StackAdaptClient, timeline_of
from emulator.merge_patch import merged
from emulator.workspace_file import read

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A user in a scenario. `traits` are the traits other than the email."""

    name: str
    user_id: str
    email: str | None
    traits: Document

    def all_traits(self, changes: Document | None = None) -> dict[str, Any]:
        """The traits of an identify call: email and traits, with `changes` applied."""
        return {**({} if self.email is None else {"email": self.email}), **self.traits, **(changes or {})}

    def as_user(self) -> dict[str, Any]:
        """The arguments of `SegmentClient.enter_audience`."""
        return {"email": self.email, "user_id": self.user_id, "traits": self.traits}


# Finds a person by name; raises InputError for an unknown name.
FindPerson = Callable[[str], Person]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A cell of the matrix of generations and API versions, and the expected result: `works` or `refused`."""

    generation: str
    api_version: str
    expected: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What a result belongs to: a scenario or a recorded exchange, in a file.

    It is listed under `group`; `shows` are ids of the fidelity ledger. `line` is that of an exchange.
    """

    path: Path
    line: int | None = None
    group: str
    title: str
    shows: tuple[str, ...] = ()
    cell: Cell | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """An expected and a found value, with the timelines of the scenario's people for a failed check.

    `place` is the key in the scenario that it belongs to: `steps[1].then.profiles`.
    """

    expected: str
    passed: bool
    found: str
    timelines: tuple[str, ...] = ()
    place: str | None = None


@dataclass(slots=True, kw_only=True)
class ScenarioRun:
    """What actions change and expectations inspect. `place` is the current key of the scenario file.

    `responses` and `deletions` are those of the current step.
    """

    endpoint: Endpoint
    people: Mapping[str, Person]
    place: str = "given"
    responses: list[httpx.Response] = field(default_factory=list)
    deletions: list[dict[str, Any]] = field(default_factory=list)

    @property
    def segment(self) -> SegmentClient:
        return SegmentClient(self.endpoint)

    @property
    def stackadapt(self) -> StackAdaptClient:
        return StackAdaptClient(self.endpoint)

    def begin_step(self) -> None:
        """Discards the results of the previous step."""
        self.responses.clear()
        self.deletions.clear()

    def name_of(self, email: str) -> str:
        """The name of the person with an email; the email itself when there is none."""
        wanted = email.strip().lower()
        same = (each.name for each in self.people.values() if each.email and each.email.strip().lower() == wanted)
        return next(same, email)

    def timelines(self) -> tuple[str, ...]:
        """The timelines of all people; empty where there is no control API."""
        if not self.endpoint.controlled:
            return ()
        return tuple(
            str(timeline_of(self.endpoint, email=each.email, user_id=each.user_id)) for each in self.people.values()
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """An item of `when`. `tokens` are the names of the tokens that it needs besides the default one.

    `run` raises EmulatorError when the action is refused, HTTPError when there is no response.
    """

    run: Callable[[ScenarioRun], object]
    needs_emulator: bool = True
    tokens: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """An item of `then`. `check` raises EmulatorError and HTTPError as an action does."""

    check: Callable[[ScenarioRun], Iterator[Check]]
    needs_emulator: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Actions and the expectations after them, each with its place in the file: `steps[1].then.profiles`."""

    when: tuple[tuple[str, Action], ...]
    then: tuple[tuple[str, Expectation], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario(Case):
    """A scenario, listed under its folder. `workspace` is the JSON form of the workspace that it runs in, which is its
    own when `given` describes or changes it.
    """

    about: str
    people: Mapping[str, Person] = field(default_factory=dict)
    workspace: Document
    own_workspace: bool = False
    steps: tuple[Step, ...]

    @property
    def needs_emulator(self) -> bool:
        """Whether it needs more than GraphQL."""
        actions = any(action.needs_emulator for step in self.steps for _, action in step.when)
        return actions or any(each.needs_emulator for step in self.steps for _, each in step.then)

    @property
    def tokens(self) -> set[str]:
        """The names of the tokens that it needs besides the default one."""
        return {token for step in self.steps for _, item in step.when for token in item.tokens}

    def matches(self, text: str) -> bool:
        """Whether title, path or a ledger id contains `text`, ignoring case."""
        return any(text.lower() in each.lower() for each in (self.title, self.path.as_posix(), *self.shows))


def workspace_of(given: Document, *, where: str = "given", base: Document | None = None) -> dict[str, Any]:
    """The JSON form of `base`, by default the default workspace, with the changes in `given`; not validated yet.

    Raises WorkspaceError, at `where`, when the part to change does not exist.
    """
    base = read(fixture("workspace.yaml")) if base is None else base
    workspace: dict[str, Any] = merged(base, given.get("workspace", {}))
    if "latency" in given:
        workspace = merged(workspace, {"ingestion": {"latency": given["latency"]}})
    changes = {name: given[name] for name in ("destination", "audience", "subscription") if name in given}
    if not changes:
        return workspace
    destinations = _items(workspace, "destinations", where=f"{where}: ", what="destination instance")
    first = merged(destinations[0], changes.get("destination", {}))
    for name, place in (("audience", "audiences"), ("subscription", "subscriptions")):
        if name in changes:
            head, *rest = _items(first, place, where=f"{where}: destinations[0].", what=name)
            first[place] = [merged(head, changes[name]), *rest]
    return {**workspace, "destinations": [first, *destinations[1:]]}


def _items(document: Any, name: str, *, where: str, what: str) -> list[Any]:
    items = document.get(name) if isinstance(document, Mapping) else None
    if not isinstance(items, list) or not items:
        raise WorkspaceError(f"no {what} to change", where=f"{where}{name}")
    return items
