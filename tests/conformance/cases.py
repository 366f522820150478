"""Seeded random cases in the recorded format: case `index` of a seed is always the same case."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from .destination_cases import destination_case
from .fql_cases import fql_case
from .mapping_cases import transform_case

TRANSFORM = "transform"
FQL = "fql"


def case(seed: int, kind: str, index: int) -> dict[str, Any]:
    """Case `index` of a kind (`transform`, `fql`, or a generation such as `3.497.0`), without `expected`."""
    rng = Random(f"{seed}/{kind}/{index}")
    if kind == TRANSFORM:
        drawn = transform_case(rng)
    elif kind == FQL:
        drawn = fql_case(rng)
    else:
        drawn = destination_case(rng, kind)
    return {"id": f"s{seed}-{kind}-{index}", **drawn}


def cases(seed: int, kind: str, count: int) -> Iterator[dict[str, Any]]:
    """The first `count` cases of a kind."""
    return (case(seed, kind, index) for index in range(count))
