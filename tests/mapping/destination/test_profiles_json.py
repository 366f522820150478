"""The text of the profiles equals `JSON.stringify` with its quotes escaped, whichever way writes it."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from emulator.mapping.actions.profiles_json import escaped_json, escaped_profiles
from emulator.mapping.javascript.values import UNDEFINED
from tests.conformance import edge_values

NAMES = (
    "userId",
    "email",
    "first_name",
    "action",
    "100%",
    "%s",
    "%(a)s",
    'q"',
    "back\\",
    "é",
    "😀",
    "\ud800",
    "__proto__",
)
PLAIN = ("u1", "a@b.com", "", "O'Brien", "ü", "😀", "%s", "{}", "\u2028", "\x7f")
SCALARS = (*PLAIN, True, False, None, 0, -1, 1.5, 2**53)
CLOSE_TO_LIMITS = (
    *(2**53 - 1, 2**53, 2**53 + 1, -(2**53) - 1, 10**21, 10**400, True),
    *(1e-4, 9.9e-5, 1e-5, 1e-7, 0.1, -0.0, 0.0, 1.0, 4503599627370495.5, 9007199254740991.0, 1e16, 1e21, 1.5e300),
    *(float("nan"), float("inf"), -float("inf"), 0.30000000000000004, -123.456),
)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(lambda rng: rng.choice(PLAIN), id="strings written unchanged"),
        pytest.param(lambda rng: rng.choice(SCALARS), id="scalars"),
        pytest.param(lambda rng: rng.choice((*edge_values.TEXTS, *edge_values.NUMBERS)), id="edge cases"),
        pytest.param(lambda rng: rng.choice(CLOSE_TO_LIMITS), id="numbers"),
        pytest.param(lambda rng: edge_values.value(rng) if rng.random() < 0.9 else UNDEFINED, id="any value"),
    ],
)
@pytest.mark.parametrize("names", [NAMES, NAMES[:4], (*NAMES[:2], *edge_values.KEYS)])
def test_profiles_are_written_as_javascript_does(value: Callable[[Random], Any], names: tuple[str, ...]) -> None:
    for seed in range(300):
        rng = Random(seed)
        profiles = [{name: value(rng) for name in rng.sample(names, 3)} for _ in range(rng.randrange(4))]
        assert escaped_profiles(profiles) == escaped_json(profiles), profiles


@pytest.mark.parametrize("value", CLOSE_TO_LIMITS)
def test_each_number_is_written_as_javascript_does(value: Any) -> None:
    assert escaped_profiles([{"n": value}]) == escaped_json([{"n": value}])
