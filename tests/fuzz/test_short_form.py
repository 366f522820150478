"""The short form of the stateful fuzz, with another seed in every run, and the shortening of what it finds."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from random import Random

import pytest

from tests.conftest import Served
from tests.fuzz import oracle, values
from tests.fuzz.stateful import Failure, Section, run, shortened

REQUESTS = 300
# Operations whose failures are known.
KNOWN: tuple[str, ...] = ()


def test_a_few_hundred_requests_break_nothing(serve: Callable[..., Served]) -> None:
    served, seed = serve(), secrets.randbelow(2**32)
    figures = run(served.url, seed=seed, requests=REQUESTS, lanes=2, skip=KNOWN)
    lines = [f"{each.violation}\npython -m tests.fuzz --replay {each.section}" for each in figures.failures]
    assert not lines, "\n".join(lines)
    assert figures.requests >= REQUESTS
    assert served.process.stderr is not None
    assert "Traceback" not in served.process.stderr.read(), f"seed {seed}"


def test_a_failure_is_shortened_to_the_steps_that_it_needs() -> None:
    def replay(section: Section) -> Failure | None:
        return Failure(section, "status 500", ()) if {17, 90} <= set(section.steps) else None

    found = shortened(Failure(Section(1, 0, 0), "status 500", ()), replay, seconds=10)
    assert str(found.section) == "1/0/0:17,90"
    assert Section.read("1/0/0:17,90") == found.section


@pytest.mark.parametrize("seed", range(20))
def test_the_generator_repeats_itself(seed: int) -> None:
    first, second = Random(seed), Random(seed)
    assert [make(first) for make in (values.call, values.record, values.rule)] == [
        make(second) for make in (values.call, values.record, values.rule)
    ]


def test_every_generated_rule_can_be_computed() -> None:
    random = Random(1)
    assert all(oracle.understands(values.rule(random)) for _ in range(500))
