"""What the emulators of the tests have exercised, those of the workers of pytest-xdist included, for one file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from emulator.complete_files import check_writable
from emulator.errors import EmulatorError
from emulator.harness.client import Endpoint
from emulator.harness.coverage import Coverage, coverage_at, coverage_in, headline, written
from emulator.pytest_plugin.targets import as_usage_error

_OPTION = "--stackadapt-emulator-coverage"
_SUFFIX = ".json"
# In what a worker sends to the main process.
_KEY = "stackadapt_emulator_coverage"
_LOST = "A worker of pytest-xdist ended without saying what its tests exercised."


class CoverageOfTests:
    """A plugin of pytest: adds up the emulator of each test, and writes the file when the session is over."""

    def __init__(self, config: pytest.Config, file: str) -> None:
        # pytest takes the next argument for the file: one that holds tests must not be replaced.
        if not file.endswith(_SUFFIX):
            raise pytest.UsageError(
                f"{_OPTION}: not the name of a coverage file. Found: {file!r}. "
                f"Allowed: a name that ends with {_SUFFIX}. Write {_OPTION}=FILE{_SUFFIX}, or put the option last."
            )
        self._config = config
        # None in the main process.
        self._to_main: dict[str, Any] | None = getattr(config, "workeroutput", None)
        self._path = config.invocation_params.dir / file
        self._coverage = Coverage()
        self._said = ""
        if self._to_main is None:
            with as_usage_error():
                check_writable(self._path)

    def add(self, endpoint: Endpoint) -> None:
        """Adds what a test has left in its emulator."""
        self._coverage.merge(coverage_at(endpoint))

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Adds what a worker has sent."""
        sent = getattr(node, "workeroutput", {}).get(_KEY)
        self._coverage.merge(Coverage(notes={_LOST}) if sent is None else coverage_in(json.loads(sent)))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Writes the file, unless the tests are only listed. One that cannot be written fails the run."""
        if self._to_main is not None:
            self._to_main[_KEY] = json.dumps(self._coverage.as_dict())
        elif not self._config.option.collectonly:
            try:
                written(self._coverage, Path(self._path))
                self._said = f"{headline(self._coverage)}, written to {self._path}"
            except EmulatorError as error:
                self._said = f"error: {error}"
                session.exitstatus = session.exitstatus or pytest.ExitCode.USAGE_ERROR

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._said:
            terminalreporter.write_line(f"stackadapt-emulator: {self._said}")
