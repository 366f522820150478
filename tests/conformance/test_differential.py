"""Some random cases with a fixed seed; the command runs thousands with a new one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from . import differential
from .cases import FQL, TRANSFORM
from .differential import CaseResult, main, results, run_case, save
from .packages import GENERATIONS, NEWEST

SEED = 20260101
CASES = 250
ABSENT = {"output": {"k": "something else"}}
CASE: dict[str, Any] = {"id": "x", "kind": TRANSFORM, "mapping": {"k": 1}, "payload": {}}


@pytest.mark.node(*GENERATIONS)
@pytest.mark.parametrize("generation", GENERATIONS)
def test_our_engine_equals_the_published_engine(generation: str) -> None:
    ran = list(results(SEED, CASES, [generation]))
    assert {one.kind for one in ran} == ({TRANSFORM, FQL, NEWEST} if generation == NEWEST else {generation})
    assert {one.case["id"]: one.differences for one in ran if one.differences} == {}


def test_a_different_outcome_is_detected() -> None:
    assert run_case(TRANSFORM, CASE, {"output": {"k": 1}}).differences == ()
    assert run_case(TRANSFORM, CASE, ABSENT).differences != ()


def test_an_exception_of_our_engine_is_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_case: dict[str, Any]) -> dict[str, Any]:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(differential, "replay", broken)
    assert run_case(TRANSFORM, CASE, ABSENT).differences == ("our engine raised ZeroDivisionError: oops",)


def test_a_different_case_is_saved_with_its_expected_outcome(tmp_path: Path) -> None:
    path = save(tmp_path / "new", run_case(TRANSFORM, CASE, ABSENT))
    assert json.loads(path.read_text(encoding="ascii")) == {**CASE, "expected": ABSENT}


@pytest.mark.node(NEWEST)
def test_the_command_prints_its_seed_and_a_line_for_each_kind(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seed", "5", "--cases", "10", "--versions", NEWEST]) == 0
    first, *_, transform, fql, newest = capsys.readouterr().out.splitlines()
    assert first == "seed 5"
    assert [line.split(":")[0].strip() for line in (transform, fql, newest)] == [TRANSFORM, FQL, NEWEST]


@pytest.mark.node(NEWEST)
def test_the_command_fails_and_saves_different_cases(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def differs(kind: str, case: dict[str, Any], expected: dict[str, Any]) -> CaseResult:
        return CaseResult(kind=kind, case={**case, "expected": expected}, differences=("k: 1 is not 2",))

    monkeypatch.setattr(differential, "run_case", differs)
    assert main(["--seed", "5", "--cases", "1", "--versions", NEWEST, "--save", str(tmp_path)]) == 1
    assert len(list(tmp_path.iterdir())) == 3
    assert "k: 1 is not 2" in capsys.readouterr().out


@pytest.mark.node(NEWEST)
def test_the_default_seed_is_random(capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        assert main(["--cases", "1", "--versions", NEWEST]) in (0, 1)
    seeds = [line for line in capsys.readouterr().out.splitlines() if line.startswith("seed ")]
    assert len(set(seeds)) == 2
