"""What scenarios notice; the score; and the built-in scenarios against the default workspace."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from emulator import Emulator
from emulator.artefacts import fixture
from emulator.errors import InputError
from emulator.harness.client import Endpoint, in_process
from emulator.harness.mutate import (
    EVENTS,
    Judged,
    Killed,
    Mutants,
    ScenarioJudge,
    as_markdown,
    chosen,
    judged,
    lines_of_mutants,
    mutations_of,
    outdated,
    read_explained,
)
from emulator.harness.scenarios import built_in, read_scenarios, separate_emulators
from emulator.workspace import Workspace
from emulator.workspace_file import read
from tests.harness.mutate.test_mutations import ALL, DEFAULT, one

EXPLAINED = read_explained(Path(__file__).parent / "survivors.yaml")
NEWSLETTER = read(fixture("newsletter-workspace.yaml"))
# With STACKADAPT_MUTATE_ALL every mutation is run: `make check-long`.
SAMPLE = None if os.environ.get("STACKADAPT_MUTATE_ALL") else 12
LEAST_SCORE = 95


@contextmanager
def new_emulator(workspace: Workspace) -> Iterator[Endpoint]:
    with Emulator(workspace) as emulator, in_process(emulator.app) as endpoint:
        yield endpoint


def judge_of(*paths: Path) -> ScenarioJudge:
    return ScenarioJudge(read_scenarios(paths), separate_emulators(new_emulator))


def test_the_survivors_of_the_built_in_scenarios_are_those_in_the_file() -> None:
    """All mutations in `make check-long`; otherwise a sample of those that are killed."""
    survivors = [each for each in ALL if any(explained.means(each) for explained in EXPLAINED)]
    assert len(survivors) == len(EXPLAINED)
    assert 100 * (len(ALL) - len(survivors)) / len(ALL) >= LEAST_SCORE
    run = chosen(ALL, sample=SAMPLE, seed=2)
    if SAMPLE is not None:
        run = [each for each in run if each not in survivors]
    found = judged(DEFAULT, run, judge_of(built_in()), events=1, seed=1, explained=EXPLAINED)
    mutants = Mutants(workspace="default", against="scenarios", possible=len(ALL), judged=found, events=1)
    assert [each.mutation.as_dict() for each in mutants.unexplained] == []
    assert outdated(EXPLAINED, ALL, found) == []
    assert mutants.score >= LEAST_SCORE


def test_a_scenario_that_does_not_notice_a_weak_trigger() -> None:
    mutations = chosen(mutations_of(NEWSLETTER), only=["swap-join", "toggle"], sample=None, seed=1)
    judge = judge_of(fixture("newsletter-scenario.yaml"))
    found = judged(NEWSLETTER, mutations, judge, events=EVENTS, seed=1, line_of=lambda _: 18)
    mutants = Mutants(workspace="w", against="1 scenario", possible=69, judged=found, events=EVENTS)
    [survivor] = mutants.survivors
    assert survivor.mutation.after == 'type = "identify" and traits.newsletter = true'
    assert mutants.score == 75
    assert mutants.kinds() == {"toggle": {"killed": 3, "survived": 0}, "swap-join": {"killed": 0, "survived": 1}}
    killed = mutants.killed[0].killed
    assert killed is not None
    assert killed.because.startswith("steps[0].then.profiles: expected visible in StackAdapt: ada; found none")
    shown = "\n".join(lines_of_mutants(mutants))
    assert "survives: swap-join  destinations[0].subscriptions[0].trigger, line 18" in shown
    assert 'revealed by: {"type": "identify", ' in shown
    assert "### Mutations of w: 75 % killed" in as_markdown(mutants)
    assert "```json" in as_markdown(mutants)


def test_a_scenario_that_fails_without_a_mutation_is_an_error(tmp_path: Path) -> None:
    text = (built_in() / "profiles" / "appears.yaml").read_text(encoding="utf-8")
    path = tmp_path / "wrong.yaml"
    path.write_text(text.replace("{first_name: Ada}", "{first_name: Grace}"), encoding="utf-8")
    with pytest.raises(InputError, match="a scenario does not pass in the workspace as it is"):
        judge_of(path)(one("change-value", "marketing_status"))


def test_scenarios_about_the_traits_of_a_mutation_are_played_first() -> None:
    mutation = next(each for each in ALL if each.kind == "drop-arm" and each.after == "$.properties.phone")
    killed = judge_of(built_in())(mutation)
    assert killed is not None
    assert killed.by == "mappings/standard-properties-by-identify"


def test_a_scenario_with_another_workspace_is_not_played() -> None:
    assert judge_of(fixture("newsletter-scenario.yaml"))(one("toggle", "destinations[0].enabled")) is None


def test_the_score_is_rounded_down() -> None:
    killed = Killed(by="x", because="y")
    found = [Judged(mutation=ALL[0], line=None, killed=killed)] * 2 + [Judged(mutation=ALL[0], line=None, killed=None)]
    assert Mutants(workspace="w", against="x", possible=3, judged=found, events=1).score == 66.6


def test_without_time_one_mutation_is_run() -> None:
    found = judged(DEFAULT, ALL, lambda _: Killed(by="x", because="y"), events=1, seed=1, seconds=0)
    assert len(found) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "must be an object. Found: 'an array'"),
        ("others: []", "the file has no list of survivors. Allowed: a list under the key 'survivors'"),
        ("survivors: [{kind: toggle}]", r"survivors\[0\]: a survivor has other fields"),
        ("survivors: [{kind: togle, place: x, after: y, because: z}]", "Did you mean 'toggle'"),
        ("survivors: [{kind: toggle, place: x, after: y, because: ' '}]", "the reason is missing"),
    ],
)
def test_mistakes_in_the_file_of_survivors_are_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "survivors.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read_explained(path)


def test_an_accepted_survivor_that_was_killed_or_is_no_mutation_is_outdated() -> None:
    killed = Killed(by="x", because="y")
    [explained, *_] = EXPLAINED
    found = [Judged(mutation=each, line=None, killed=killed) for each in ALL if explained.means(each)]
    assert outdated(EXPLAINED, ALL, found) == [explained]
    assert outdated([explained], ALL[:1], []) == [explained]
    assert outdated(EXPLAINED, ALL, []) == []
