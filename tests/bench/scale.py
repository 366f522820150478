"""How much is measured: everything in under six minutes, or the same rows in under one with rougher figures."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Numbers of rounds, seconds a round, and how large the data is."""

    rounds: int
    seconds: float
    one_profile_documents: int
    thousands: int
    page_profiles: int
    million_profiles: int
    pages: int
    mixed_rounds: int
    mixed_seconds: float
    mapping_turns: int
    warm_up_people: int
    people: int
    audience_people: int
    clock_people: int
    plan_people: int
    starts: int
    tests: int
    generated: int


FULL = Scale(
    rounds=5,
    seconds=1.0,
    one_profile_documents=4000,
    thousands=4,
    page_profiles=50_000,
    million_profiles=1_000_000,
    pages=100,
    mixed_rounds=2,
    mixed_seconds=2.0,
    mapping_turns=3,
    warm_up_people=2_000,
    people=10_000,
    audience_people=1_000,
    clock_people=100_000,
    plan_people=100_000,
    starts=5,
    tests=60,
    generated=50_000,
)
QUICK = Scale(
    rounds=2,
    seconds=0.3,
    one_profile_documents=1000,
    thousands=1,
    page_profiles=5_000,
    million_profiles=20_000,
    pages=30,
    mixed_rounds=1,
    mixed_seconds=0.7,
    mapping_turns=1,
    warm_up_people=300,
    people=1_000,
    audience_people=200,
    clock_people=1_000,
    plan_people=3_000,
    starts=2,
    tests=15,
    generated=5_000,
)
