"""Tests marked `node(NAME, …)` or `python_client(NAME)` need Node and those npm packages, or that client for Python.

Without them they skip, or fail where required.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from . import python_packages
from .packages import REQUIRE_VARIABLE, missing_reason, node_is_required
from .served import ServedEmulator


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "node(*names): needs Node and the npm packages of these directories")
    config.addinivalue_line("markers", "python_client(name): needs the Python packages of this directory")


@pytest.fixture(autouse=True)
def node_packages(request: pytest.FixtureRequest) -> None:
    """Skips a marked test without its packages, or fails it if they are required."""
    marker = request.node.get_closest_marker("node")
    reason = missing_reason(*marker.args) if marker else None
    if reason and node_is_required():
        pytest.fail(f"{REQUIRE_VARIABLE}=1, but {reason}")
    if reason:
        pytest.skip(reason)


@pytest.fixture(autouse=True)
def python_client(request: pytest.FixtureRequest) -> None:
    """The same for the packages of a client for Python."""
    marker = request.node.get_closest_marker("python_client")
    reason = python_packages.missing_reason(*marker.args) if marker else None
    if reason and python_packages.are_required():
        pytest.fail(f"{python_packages.REQUIRE_VARIABLE}=1, but {reason}")
    if reason:
        pytest.skip(reason)


@pytest.fixture
def served(node_packages: None, tmp_path: Path) -> Iterator[ServedEmulator]:
    """The emulator on a free port, with the default workspace and profiles visible at once."""
    with ServedEmulator(tmp_path / "serve.log") as emulator:
        yield emulator
