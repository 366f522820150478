"""A job on a machine with a shell and Python: the lines of the documentation, in a clean environment."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from emulator.cli.own_server import health_at
from tests.docs.blocks import FOLDER, blocks_of
from tests.e2e.installed import run

pytestmark = pytest.mark.one_store

TESTS = """#!/bin/sh
set -e
echo "$STACKADAPT_EMULATOR_URL" > url
stackadapt-emulator wait --timeout 10s
stackadapt-emulator trigger audience-entered --audience vip_customers --email ada@example.com
"""


def test_three_lines_install_start_test_and_stop(dist: Path, tmp_path: Path) -> None:
    (job,) = (block.text for block in blocks_of(FOLDER / "ci.md") if "./run-tests" in block.text)
    assert len(job.splitlines()) == 3
    environment = tmp_path / "environment"
    assert run(sys.executable, "-m", "venv", environment, cwd=tmp_path).returncode == 0
    (tmp_path / "dist").symlink_to(dist)
    (tmp_path / "run-tests").write_text(TESTS)
    (tmp_path / "run-tests").chmod(0o700)
    variables = (
        f"PATH={environment / 'bin'}{os.pathsep}{os.environ['PATH']}",
        f"XDG_STATE_HOME={tmp_path / 'state'}",
        # Compiling every dependency takes most of the time.
        "PIP_NO_COMPILE=1",
    )
    done = run("env", *variables, "sh", "-e", "-c", job, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "in vip_customers (aud_local_vip)" in done.stdout
    assert "stopped process " in done.stdout
    assert health_at((tmp_path / "url").read_text().strip()) is None
