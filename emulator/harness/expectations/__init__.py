"""Assertions on both services, with or without pytest.

A failed one raises `Unmet`, an AssertionError that prints what was found and what happened to the person at each stage.
"""

from emulator.harness.expectations.planned_change import PlannedChange
from emulator.harness.expectations.segment import ExpectingSegment
from emulator.harness.expectations.stackadapt import ExpectingStackAdapt
from emulator.harness.expectations.unmet import Unmet

__all__ = ["ExpectingSegment", "ExpectingStackAdapt", "PlannedChange", "Unmet"]
