"""Expectations that read as sentences, with or without pytest.

One that does not hold raises `Unmet`, an AssertionError whose text is a sentence and then what happened to the person.
"""

from emulator.harness.expectations.profile import ExpectedProfile
from emulator.harness.expectations.stackadapt import ExpectingStackAdapt
from emulator.harness.expectations.unmet import Unmet

__all__ = ["ExpectedProfile", "ExpectingStackAdapt", "Unmet"]
