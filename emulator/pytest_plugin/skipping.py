"""Against another endpoint: how a mistake becomes pytest's word for it, a skipped test or a command line in error."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager

import pytest

from emulator.errors import UserMistake
from emulator.harness.client import NoControl


class SkipWhatNeedsAnEmulator:
    """Turns NoControl, in a fixture or in a test, into a skip."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self) -> Generator[None, None, None]:
        try:
            yield
        except NoControl as missing:
            pytest.skip(str(missing))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self) -> Generator[None, None, None]:
        try:
            yield
        except NoControl as missing:
            pytest.skip(str(missing))


@contextmanager
def as_usage_error() -> Iterator[None]:
    """Turns a UserMistake into one line in place of the whole session."""
    try:
        yield
    except UserMistake as mistake:
        raise pytest.UsageError(str(mistake)) from None
