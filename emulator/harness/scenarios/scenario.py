"""A scenario: what is given, what happens, and what is expected then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from emulator.harness.scenarios.model import Case, Document, Person
from emulator.harness.scenarios.run import Action, Expectation


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Actions and the expectations after them, each with its place in the file: `steps[1].then.profiles`."""

    when: tuple[tuple[str, Action], ...]
    then: tuple[tuple[str, Expectation], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario(Case):
    """A scenario, listed under its folder. `workspace` is the JSON form of the workspace that it runs in."""

    about: str
    people: Mapping[str, Person] = field(default_factory=dict)
    workspace: Document
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
