"""What a server does not need for its own work is imported when a request asks for it, not before."""

from __future__ import annotations

import subprocess
import sys

import pytest

# The packages and modules of the commands that look at a sync from outside; a name covers what is in it.
SELDOM = (
    "emulator.harness.coverage",
    "emulator.harness.grade",
    "emulator.harness.mutate",
    "emulator.harness.plan",
    "emulator.harness.probe",
    "emulator.harness.upgrade",
    "emulator.mcp_server",
    "emulator.server.plan_people",
    "emulator.server.plan_runs",
    "emulator.server.probe_reference",
    "mcp",
)

CODE = """
import sys
import emulator.cli.serve
from emulator.server.emulator import Emulator
with Emulator() as emulator:
    for path in ("/", "/_emulator/health", "/_emulator/funnel", "/_emulator/workspace"):
        assert emulator.client.get(path).status_code == 200, path
    print(*sys.modules)
"""


@pytest.fixture(scope="module")
def imported() -> list[str]:
    return subprocess.check_output([sys.executable, "-c", CODE], text=True).split()


@pytest.mark.parametrize("part", SELDOM)
def test_serve_imports_it_only_when_asked(part: str, imported: list[str]) -> None:
    assert "emulator.server.emulator" in imported
    assert [name for name in imported if name == part or name.startswith(f"{part}.")] == []
