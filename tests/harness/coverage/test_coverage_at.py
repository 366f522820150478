"""The coverage of an endpoint: one that cannot be asked is noted, and the run goes on."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from emulator.errors import UserMistake
from emulator.harness.coverage import Coverage, coverage_at


def endpoint(answer: Any, *, controlled: bool = True) -> Any:
    def get(path: str) -> Any:
        assert path == "coverage"
        if isinstance(answer, Exception):
            raise answer
        return answer

    return SimpleNamespace(controlled=controlled, control=SimpleNamespace(get=get))


def test_what_an_emulator_answers_is_its_coverage() -> None:
    assert coverage_at(endpoint(Coverage(runs=2).as_dict())).as_dict() == Coverage(runs=2).as_dict()


@pytest.mark.parametrize(
    ("asked", "note"),
    [
        (endpoint(None, controlled=False), "An endpoint that is not an emulator says nothing"),
        (endpoint(httpx.ConnectError("stopped")), "A sandbox is not counted: no response, "),
        (endpoint(httpx.ReadTimeout("slow")), "A sandbox is not counted: no response, "),
        (endpoint(UserMistake("unknown sandbox 'a'")), "A sandbox is not counted: unknown sandbox 'a'."),
        (endpoint({"format": 1}), "A sandbox is not counted: GET /_emulator/coverage: format: a coverage of another"),
    ],
)
def test_what_cannot_be_asked_is_noted(asked: Any, note: str) -> None:
    found = coverage_at(asked)
    assert found.runs == 0
    [noted] = found.notes
    assert noted.startswith(note)
    assert noted.endswith(".")
