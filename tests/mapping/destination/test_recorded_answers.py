"""Every recorded answer of the real engine, replayed: results, errors and request bodies to the byte.

Which package version answered which file is written in `tests/mapping/recorded/README.md`.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emulator.harness.recorded_cases import Case, compare, read_cases, replay
from emulator.mapping.javascript import camel_case
from emulator.mapping.javascript import is_date, parse_date

RECORDED = Path(__file__).parent.parent / "recorded"
CASES = [case for path in sorted(RECORDED.glob("destination-*.jsonl")) for case in read_cases(path)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["id"]))
def test_the_destination_does_what_the_real_one_did(case: Case) -> None:
    assert compare(case, replay(case)) == []


def test_every_generation_and_mode_is_recorded() -> None:
    assert {(case["generation"], case["mode"]) for case in CASES} >= {
        (generation, mode)
        for generation in ("3.361.0", "3.497.0", "3.517.0")
        for mode in ("event", "batch", "delete", "auth", "dynamic")
    }


@pytest.mark.parametrize(("text", "expected"), json.loads((RECORDED / "dates.json").read_text(encoding="utf-8")))
def test_dates_are_told_apart_as_v8_does(text: str, expected: bool) -> None:
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
def test_a_date_is_the_moment_that_v8_reads(text: str, milliseconds: int | None) -> None:
    assert parse_date(text) == milliseconds


@pytest.mark.parametrize(("name", "expected"), json.loads((RECORDED / "camel-case.json").read_text(encoding="utf-8")))
def test_names_become_camel_case_as_lodash_makes_them(name: str, expected: str) -> None:
    assert camel_case(name) == expected
