"""What a test with the pytest plugin takes: one identify and one expectation, beside a test that does nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.rows import Measured, Results
from tests.bench.scale import Scale
from tests.bench.servers import environment

_TESTS = """
import pytest

@pytest.mark.parametrize("number", range({count}))
def test_that_does_something(stackadapt, segment, number):
    segment.identify("u1", {{"email": "ada@example.com", "total_spent": 900}})
    stackadapt.expect_profile(email="ada@example.com").in_audience("vip_customers")

@pytest.mark.parametrize("number", range({count}))
def test_that_does_nothing(number):
    pass
"""
# The time of each test with its fixtures, set up and torn down.
_TIMES = """
import json, time
import pytest

found = {}

@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item, nextitem):
    started = time.perf_counter()
    yield
    found.setdefault(item.originalname, []).append((time.perf_counter() - started) * 1000)

def pytest_sessionfinish(session):
    (session.config.rootpath / "times.json").write_text(json.dumps(found))
"""


def pytest(scale: Scale) -> Results:
    """Milliseconds of each test; the first pays for the imports and is not counted."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "test_times.py").write_text(_TESTS.format(count=scale.tests), encoding="utf-8")
        (folder / "conftest.py").write_text(_TIMES, encoding="utf-8")
        (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", name]
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False, env=environment())
        if done.returncode:
            raise RuntimeError(done.stdout)
        times = json.loads((folder / "times.json").read_text(encoding="utf-8"))
    return {
        "pytest": Measured(figures=times["test_that_does_something"][1:], peers=times["test_that_does_nothing"][1:])
    }
