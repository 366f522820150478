"""Runs the examples for Jest and Vitest with the package for Node: `python -m tests.conformance.node_runners`.

`make check-long` does: npm installs more than 300 packages for them. The short form in CI is the example for the test
runner of Node, in `test_node_helper.py`.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from .install import main as install
from .node_project import PACKAGE, NodeProject
from .packages import NODE_RUNNERS, package_directory

RUNNERS = {"vitest": ("vitest/vitest.mjs", "run"), "jest": ("jest/bin/jest.js", "--rootDir", ".")}


def run_examples(folder: Path) -> None:
    """Raises AssertionError with the output of a runner whose tests fail."""
    project = NodeProject(folder)
    project.install()
    modules = package_directory(NODE_RUNNERS) / "node_modules"
    for runner, (program, *arguments) in RUNNERS.items():
        (folder / "node_modules" / runner).symlink_to(modules / runner)
        example = folder / runner
        shutil.copytree(PACKAGE / "examples" / runner, example)
        print(project.run("node", modules / program, *arguments, folder=example))


if __name__ == "__main__":
    if code := install([NODE_RUNNERS]):
        sys.exit(code)
    with tempfile.TemporaryDirectory() as temporary:
        run_examples(Path(temporary))
