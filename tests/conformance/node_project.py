"""A project with the package for Node, packed and installed as its users install it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from .served import REPOSITORY

PACKAGE = REPOSITORY / "contracts/clients/node"
SECONDS_ALLOWED = 300
_QUIET = ("--offline", "--no-audit", "--no-fund", "--loglevel=error")


class NodeProject:
    """A folder with a `package.json`. Its commands find the emulator of this environment, and no running one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "package.json").write_text('{"private": true}', encoding="utf-8")

    def install(self) -> Path:
        """Packs the package and installs that file; returns it."""
        self.run("npm", "pack", "--pack-destination", self.folder, "--loglevel=error", PACKAGE)
        [packed] = self.folder.glob("*.tgz")
        self.run("npm", "install", *_QUIET, packed)
        return packed

    def run(
        self, *words: str | Path, code: int = 0, folder: Path | None = None, env: Mapping[str, str] | None = None
    ) -> str:
        """What a command prints. Raises AssertionError with it for another exit code than `code`."""
        command = {"STACKADAPT_EMULATOR_COMMAND": f"{sys.executable} -m emulator"}
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("STACKADAPT_EMULATOR_")}
        done = subprocess.run(
            words,
            cwd=folder or self.folder,
            env={**inherited, **command, **(env or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=SECONDS_ALLOWED,
            check=False,
        )
        assert done.returncode == code, f"{' '.join(map(str, words))}: exit code {done.returncode}\n{done.stdout}"
        return done.stdout
