"""The report of a run: which mutations were noticed by what, and the score."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import floor
from typing import Any

from emulator.clock import stopwatch
from emulator.harness.mutate.accepted_survivors import Explained
from emulator.harness.mutate.mutant_runs import Judge, Killed
from emulator.harness.mutate.mutation import Document, Mutation
from emulator.harness.mutate.revealing import Revealing, revealing

Report = Callable[[int], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A mutation and what failed with it; of a survivor, an event that would reveal it and why it is accepted.

    `line` is that of its place in the workspace file.
    """

    mutation: Mutation
    line: int | None
    killed: Killed | None
    revealing: Revealing | None = None
    explanation: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        shown = {**self.mutation.as_dict(), "line": self.line}
        if self.killed:
            return {**shown, "killedBy": self.killed.by, "because": self.killed.because}
        found = self.revealing
        return {
            **shown,
            "event": None if found is None else dict(found.event),
            "difference": found and found.difference,
            "explanation": self.explanation,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutants:
    """The mutations that were run, out of `possible` ones of a workspace, with the name of what was to fail.

    `events` is how many were tried to reveal each survivor. `outdated` are accepted survivors that are none any more.
    """

    workspace: str
    against: str
    possible: int
    judged: Sequence[Judged]
    events: int
    outdated: Sequence[Explained] = ()

    @property
    def killed(self) -> list[Judged]:
        """The mutations with which something failed."""
        return [each for each in self.judged if each.killed]

    @property
    def survivors(self) -> list[Judged]:
        """Those with which nothing did."""
        return [each for each in self.judged if not each.killed]

    @property
    def unexplained(self) -> list[Judged]:
        """The survivors that are not accepted."""
        return [each for each in self.survivors if each.explanation is None]

    @property
    def score(self) -> float:
        """The killed ones in percent of all that were run, rounded down to a tenth."""
        return floor(1000 * len(self.killed) / len(self.judged)) / 10

    def kinds(self) -> Mapping[str, Mapping[str, int]]:
        """How many were killed and survived, by kind."""
        killed, survived = (Counter(each.mutation.kind for each in some) for some in (self.killed, self.survivors))
        kinds = dict.fromkeys(each.mutation.kind for each in self.judged)
        return {kind: {"killed": killed[kind], "survived": survived[kind]} for kind in kinds}

    def as_dict(self) -> dict[str, Any]:
        """The JSON form, as contracts/mutate.schema.json describes it."""
        return {
            "workspace": self.workspace,
            "against": self.against,
            "mutations": {
                "possible": self.possible,
                "run": len(self.judged),
                "killed": len(self.killed),
                "survived": len(self.survivors),
            },
            "score": self.score,
            "events": self.events,
            "kinds": {kind: dict(counts) for kind, counts in self.kinds().items()},
            "survivors": [each.as_dict() for each in self.survivors],
            "killed": [each.as_dict() for each in self.killed],
            "outdated": [each.as_dict() for each in self.outdated],
        }


def judged(
    document: Document,
    mutations: Sequence[Mutation],
    judge: Judge,
    *,
    events: int,
    seed: int,
    line_of: Callable[[str], int | None] = lambda _: None,
    explained: Sequence[Explained] = (),
    report: Report = lambda _: None,
    seconds: float | None = None,
) -> list[Judged]:
    """Each mutation of a workspace with what a judge says of it. Raises what the judge raises.

    With `seconds`, only those that have begun by then; at least one.
    """
    found: list[Judged] = []
    elapsed = stopwatch()
    for mutation in mutations:
        if found and seconds is not None and elapsed() / 1000 >= seconds:
            break
        killed = judge(mutation)
        event = None if killed else revealing(mutation, document, events=events, seed=seed)
        found.append(
            Judged(
                mutation=mutation,
                line=None if mutation.inherited else line_of(mutation.place),
                killed=killed,
                revealing=event,
                explanation=next((each.because for each in explained if each.means(mutation)), None),
            )
        )
        report(1)
    return found


def outdated(explained: Sequence[Explained], mutations: Sequence[Mutation], found: Sequence[Judged]) -> list[Explained]:
    """The accepted survivors that were killed, and those that are no mutation of the workspace."""
    killed = [each.mutation for each in found if each.killed]
    return [each for each in explained if any(map(each.means, killed)) or not any(each.means(one) for one in mutations)]
