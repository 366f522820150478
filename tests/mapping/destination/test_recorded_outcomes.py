"""Every recorded outcome of the real engine: results, errors and exact request bodies.

`tests/mapping/recorded/README.md` lists the package version of each file.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emulator.artefacts import contract_json
from emulator.harness.recorded_cases import Case, compare, read_cases, replay
from emulator.mapping import generations
from emulator.mapping.javascript.camel_case import camel_case
from emulator.mapping.javascript.date_parse import is_date, parse_date

RECORDED = Path(__file__).parent.parent / "recorded"
FILES = {path.stem.removeprefix("destination-"): path for path in RECORDED.glob("destination-*.jsonl")}
CASES = [case for path in sorted(RECORDED.glob("destination-*.jsonl")) for case in read_cases(path)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["id"]))
def test_the_outcome_equals_the_recorded_one(case: Case) -> None:
    assert compare(case, replay(case)) == []


def test_every_generation_and_mode_is_recorded() -> None:
    # A generation with `same_as` behaves as the one that it names.
    files = {generation: contract_json(f"segment/destinations/{generation}.json") for generation in generations()}
    own = {generation for generation, content in files.items() if "same_as" not in content}
    assert own <= FILES.keys() <= {*generations()}
    assert {(case["generation"], case["mode"]) for case in CASES} >= {
        (generation, mode) for generation in own for mode in ("event", "batch", "delete", "auth", "dynamic")
    }


@pytest.mark.parametrize(("text", "expected"), json.loads((RECORDED / "dates.json").read_text(encoding="utf-8")))
def test_strings_are_dates_as_in_v8(text: str, expected: bool) -> None:
    assert is_date(text) is expected


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("2024-02-30", 1709251200000),
        ("2024-01-15T10:00:00.25-05:30", 1705332600250),
        ("gold 1", 978307200000),
        ("1-2-2024 10:00 PM EST", 1704250800000),
        ("-000001-01-01", -62198755200000),
        ("hello", None),
        ("+275760-09-13T00:00:00.001Z", None),
    ],
)
def test_a_date_has_the_timestamp_of_v8(text: str, milliseconds: int | None) -> None:
    assert parse_date(text) == milliseconds


@pytest.mark.parametrize(("name", "expected"), json.loads((RECORDED / "camel-case.json").read_text(encoding="utf-8")))
def test_names_have_the_camel_case_of_lodash(name: str, expected: str) -> None:
    assert camel_case(name) == expected
