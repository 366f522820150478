"""`make check` and `make check-long`: stage after stage, with the time of each and a reason for each one skipped.

python -m tests.check            what CI runs
python -m tests.check --long     what takes too long for CI
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests import postgresql
from tests.load import locust_environment

FAST = "-n auto --dist worksteal -q"


def no_node() -> str | None:
    return None if shutil.which("npm") else "needs Node.js with npm"


def no_proc() -> str | None:
    return None if Path("/proc/self/fd").exists() else "needs /proc, where Linux lists the open files of a process"


def nothing_missing() -> str | None:
    return None


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A command, and why this machine cannot run it, None if it can."""

    name: str
    command: str
    missing: Callable[[], str | None] = nothing_missing


STORES = "tests/stackadapt tests/segment tests/e2e --ignore tests/e2e/test_example_project.py"
# Each request to another of several processes on one database.
PROCESSES = "--through-processes 3"
OVER_HTTP = "tests/server tests/e2e --ignore tests/e2e/test_example_project.py"
# The tests with random cases that `--long` makes longer.
RANDOM = "tests/server/test_damaged_items.py tests/conformance/test_graphql_errors.py"
# The tests that install the wheel, and with `--long` its dependencies too.
INSTALLATIONS = "tests/e2e/test_github_actions.py tests/e2e/test_container.py"
# The mutations of the default workspace: a sample, and with the variable of the stage all of them.
MUTATIONS = "tests/harness/mutate/test_judged.py"
CHECK = (
    Stage(name="lint", command="make --no-print-directory lint"),
    Stage(name="demo", command="make --no-print-directory demo"),
    Stage(name="conformance-install", command="make --no-print-directory conformance-install", missing=no_node),
    Stage(name="test", command=f"{sys.executable} -m pytest {FAST}"),
    Stage(name="matrix-short", command=f"{sys.executable} -m tests.matrix --short"),
    Stage(
        name="test-postgresql",
        command=f"{sys.executable} -m pytest {FAST} --store postgresql {STORES}",
        missing=postgresql.missing,
    ),
    Stage(
        name="through-processes",
        command=f"{sys.executable} -m pytest {FAST} {PROCESSES} tests/e2e/test_main_job.py",
        missing=postgresql.missing,
    ),
    Stage(
        name="conformance",
        command=f"{sys.executable} -m tests.conformance.differential --cases 2000",
        missing=no_node,
    ),
)
LONG = (
    *CHECK[:-1],
    Stage(
        name="conformance-long",
        command=f"{sys.executable} -m tests.conformance.differential --cases 5000",
        missing=no_node,
    ),
    Stage(name="matrix", command=f"{sys.executable} -m tests.matrix"),
    Stage(name="node-runners", command=f"{sys.executable} -m tests.conformance.node_runners", missing=no_node),
    Stage(
        name="through-processes-long",
        command=f"{sys.executable} -m pytest {FAST} {PROCESSES} {OVER_HTTP}",
        missing=postgresql.missing,
    ),
    Stage(name="random-cases", command=f"{sys.executable} -m pytest {FAST} --long {RANDOM}"),
    Stage(name="mutations", command=f"env STACKADAPT_MUTATE_ALL=1 {sys.executable} -m pytest -q {MUTATIONS}"),
    Stage(name="installations", command=f"{sys.executable} -m pytest -q --long {INSTALLATIONS}"),
    Stage(name="overload", command=f"{sys.executable} -m tests.overload", missing=no_proc),
    Stage(name="soak", command=f"{sys.executable} -m tests.soak", missing=no_proc),
    Stage(name="workspace-edits", command=f"{sys.executable} -m tests.fuzz.workspace_edits --edits 1000"),
    Stage(name="fuzz", command="make --no-print-directory fuzz"),
    Stage(name="load", command=f"{sys.executable} -m tests.load", missing=locust_environment.missing),
    Stage(name="durability", command=f"{sys.executable} -m tests.durability"),
    Stage(name="packaging", command=f"{sys.executable} -m pytest -q --long tests/packaging"),
    Stage(name="bench", command="make --no-print-directory bench", missing=no_node),
)


def run(stages: Sequence[Stage]) -> int:
    """Runs the stages until one fails, prints a line for each, and returns the exit code."""
    lines = []
    failed = 0
    for stage in stages:
        missing = stage.missing()
        if missing:
            lines.append(f"{stage.name:<22}skipped  {missing}")
            continue
        print(f"== {stage.name}", flush=True)
        started = time.monotonic()
        failed = subprocess.run(stage.command.split(), check=False).returncode
        lines.append(f"{stage.name:<22}{'failed' if failed else 'ok':<9}{time.monotonic() - started:.0f} s")
        if failed:
            break
    print("\n".join(["", *lines]))
    return failed


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Run the checks, stage by stage.")
    parser.add_argument("--long", action="store_true", help="also what takes too long for CI")
    sys.exit(run(LONG if parser.parse_args().long else CHECK))
