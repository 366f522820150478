"""The built wheel, and an environment with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.installed import build_wheel, install, once


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    [wheel] = once(tmp_path_factory, "wheels", build_wheel).glob("*.whl")
    return wheel


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    """A clean virtual environment with the wheel."""
    return once(tmp_path_factory, "environment", lambda path: install(path, wheel.parent))
