"""Durations: every way to write one, and the one pattern of the contracts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from emulator.artefacts import contract_json
from emulator.durations import ALLOWED, LONGEST, PATTERN, parse_duration
from emulator.errors import InputError
from emulator.server.control.request_args import document

SCHEMA = contract_json("workspace.schema.json")["$defs"]["duration"]


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("90s", timedelta(seconds=90)),
        ("15m", timedelta(minutes=15)),
        ("4h", timedelta(hours=4)),
        ("2d", timedelta(days=2)),
        ("0s", timedelta()),
        ("1.5h", timedelta(minutes=90)),
        ("3h59m", timedelta(hours=3, minutes=59)),
        ("3h 59m", timedelta(hours=3, minutes=59)),
        ("1d2h3m4s", timedelta(days=1, hours=2, minutes=3, seconds=4)),
        ("4 hours", timedelta(hours=4)),
        ("1 hour", timedelta(hours=1)),
        ("1 day", timedelta(days=1)),
        ("90 min", timedelta(minutes=90)),
        ("2 hrs 30 minutes", timedelta(hours=2, minutes=30)),
        ("1 day 2 hours 3 mins 4 secs", timedelta(days=1, hours=2, minutes=3, seconds=4)),
        ("10 seconds", timedelta(seconds=10)),
        ("PT4H", timedelta(hours=4)),
        ("P1D", timedelta(days=1)),
        ("P1DT2H", timedelta(days=1, hours=2)),
        ("PT3H59M", timedelta(hours=3, minutes=59)),
        ("PT90M", timedelta(minutes=90)),
        ("PT0.5S", timedelta(milliseconds=500)),
        ("P1DT1H1M1S", timedelta(days=1, hours=1, minutes=1, seconds=1)),
    ],
)
def test_a_duration_is_read(text: str, duration: timedelta) -> None:
    assert parse_duration(text) == duration
    assert Draft202012Validator(SCHEMA).is_valid(text)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "4", "h", "4x", "soon", "4 weeks", "1h1h", "1m1h", " 4h", "4h ", "4  h", "1h, 2m", "1h and 2m",
        "-1h", "+1h", ".5h", "1.h", "1e3s", "4H", "pt4h", "P", "PT", "P1DT", "PT4", "P4H", "P1M", "P1Y",
        "P1W", "4h\n", "٤h",
    ],
)  # fmt: skip
def test_anything_else_is_refused_with_what_is_allowed(text: str) -> None:
    with pytest.raises(InputError) as refused:
        parse_duration(text, where="latency")
    assert str(refused.value) == f"latency: invalid duration. Found: {text!r}. Allowed: {ALLOWED}."


@pytest.mark.parametrize("text", ["9" * 400 + "d", "999999999999 days", "P999999999999D"])
def test_a_duration_that_is_too_long_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="this duration is too long"):
        parse_duration(text)


UNITS = {"days": "d day days", "hours": "h hr hrs hour hours", "minutes": "m min mins minute minutes",
         "seconds": "s sec secs second seconds"}  # fmt: skip


@given(
    numbers=st.fixed_dictionaries({}, optional={unit: st.integers(0, 10**4) for unit in UNITS}).filter(bool),
    spelled=st.randoms(use_true_random=False),
)
def test_every_spelling_means_the_same(numbers: dict[str, int], spelled: Random) -> None:
    choose = spelled.choice
    present = [unit for unit in UNITS if unit in numbers]
    words = "".join(f"{choose(['', ' '])}{numbers[unit]}{choose(['', ' '])}{choose(UNITS[unit].split())}"
                    for unit in present).strip()  # fmt: skip
    days = f"{numbers['days']}D" if "days" in numbers else ""
    time = "".join(f"{numbers[unit]}{unit[0].upper()}" for unit in present if unit != "days")
    iso = f"P{days}{f'T{time}' if time else ''}"
    assert parse_duration(words) == parse_duration(iso) == timedelta(**numbers)


@contextmanager
def suppress_too_long() -> Iterator[None]:
    try:
        yield
    except InputError as error:
        if "this duration is too long" not in str(error):
            raise


@given(st.from_regex(PATTERN, fullmatch=True).filter(lambda text: len(text) < 10))
def test_what_the_pattern_matches_is_read(text: str) -> None:
    with suppress_too_long():
        assert timedelta() <= parse_duration(text) <= LONGEST


def test_the_contracts_have_the_same_pattern_and_description() -> None:
    duration = document()["components"]["schemas"]["Duration"]
    description = f"{ALLOWED[0].upper()}{ALLOWED[1:]}."
    for schema in (SCHEMA, duration):
        assert (schema["pattern"], schema["description"]) == (PATTERN.pattern, description)
