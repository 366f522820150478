"""Assertions on profiles, rejections, requests and segments, with or without pytest.

A failed one raises `Unmet`, an AssertionError that prints what happened to the profile at each stage.
"""

from emulator.harness.expectations.profile import ExpectedProfile
from emulator.harness.expectations.stackadapt import ExpectingStackAdapt
from emulator.harness.expectations.unmet import Unmet

__all__ = ["ExpectedProfile", "ExpectingStackAdapt", "Unmet"]
