"""Against another endpoint, a test that needs what is not there is skipped, with the reason."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from emulator.harness.faces import NoControl


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
