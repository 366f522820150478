"""A short mapping and a short event multiply each other: the result is limited before it is made."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest

from emulator.mapping.directives import directive
from emulator.mapping.engine_errors import MappingError
from emulator.mapping.resolve import compile_mapping

LIMIT = 1_000_000
LONG = "a" * 20_000


def nested_replacements(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {"@path": "$.v"}
    for _ in range(levels):
        value = {"@replace": {"pattern": "a", "replacement": "a" * 9, "value": value}}
    return value


CASES = {
    "template": ({"@template": "{{v}}" * 1000}, {"v": LONG}),
    "template of triple braces": ({"@template": "{{{t}}}"}, {"v": LONG, "t": "{{v}}" * 1000}),
    "template of an array": ({"@template": "{{v}}" * 1000}, {"v": [LONG]}),
    "replace by what is before": (
        {"@replace": {"pattern": "a", "replacement": "$`$'$&", "value": {"@path": "$.v"}}},
        {"v": LONG},
    ),
    "replace without letter case": (
        {"@replace": {"pattern": "A", "replacement": "$`", "ignorecase": True, "value": {"@path": "$.v"}}},
        {"v": LONG},
    ),
    "nested replacements": (nested_replacements(12), {"v": "a"}),
    "flatten": (
        {"@flatten": {"separator": LONG, "value": {"@path": "$.v"}}},
        {"v": {"k": dict.fromkeys(map(str, range(1000)), 1)}},
    ),
}


@pytest.mark.parametrize(("mapping", "event"), CASES.values(), ids=CASES)
def test_what_a_directive_multiplies_is_limited(mapping: Any, event: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directive, "MOST_CHARACTERS", LIMIT)
    compiled = compile_mapping({"v": mapping})
    tracemalloc.start()
    try:
        with pytest.raises(MappingError, match=f"more than {LIMIT} characters"):
            compiled(event)
        assert tracemalloc.get_traced_memory()[1] < 4 * LIMIT
    finally:
        tracemalloc.stop()
