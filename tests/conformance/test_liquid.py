from __future__ import annotations

from copy import deepcopy
from random import Random

import pytest

from .cases import TRANSFORM
from .differential import run_case
from .liquid_cases import template
from .liquid_corpus import EVENT, corpus
from .oracle import Oracle
from .packages import NEWEST

RANDOM_TEMPLATES = 800


def different(templates: list[str]) -> list[tuple[str, ...]]:
    """The templates with another outcome than in LiquidJS, and the difference."""
    found = []
    with Oracle(NEWEST) as oracle:
        for each in templates:
            case = {"kind": TRANSFORM, "mapping": {"k": {"@liquid": each}}, "payload": deepcopy(EVENT)}
            differences = run_case(TRANSFORM, case, oracle.expected(case)).differences
            if differences:
                found.append((each, *differences))
    return found


@pytest.mark.node(NEWEST)
def test_every_template_of_the_corpus_has_the_outcome_of_liquidjs() -> None:
    assert different(list(corpus())) == []


@pytest.mark.node(NEWEST)
def test_random_templates_have_the_outcome_of_liquidjs() -> None:
    assert different([template(Random(f"liquid/{seed}")) for seed in range(RANDOM_TEMPLATES)]) == []
