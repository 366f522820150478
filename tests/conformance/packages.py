"""The pinned npm packages, and whether they are installed.

Each directory under `node/` pins one package with a lock file; `install.py` fills its `node_modules`.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from emulator.mapping import generations

NODE_FOLDER = Path(__file__).parent / "node"
GENERATIONS = tuple(name for name in generations() if (NODE_FOLDER / name / "package.json").is_file())
NEWEST = GENERATIONS[-1]
GRAPHQL_CLIENTS = "graphql-clients"
ANALYTICS_NODE = "analytics-node"
ANALYTICS_NEXT = "analytics-next"
GRAPHQL_YOGA = "graphql-yoga"
NODE_HELPER = "node-helper"
NODE_RUNNERS = "node-runners"
REQUIRE_VARIABLE = "STACKADAPT_EMULATOR_REQUIRE_NODE"
INSTALL_COMMAND = "python -m tests.conformance.install"


def package_directory(name: str) -> Path:
    """The directory of a generation or a tracking SDK."""
    return NODE_FOLDER / name


def stamp_file(name: str) -> Path:
    """Holds the digest of the lock file that `node_modules` was installed from."""
    return package_directory(name) / "node_modules" / ".installed-from"


def lock_digest(name: str) -> str:
    """SHA-256 of the directory's lock file, in hex."""
    return hashlib.sha256((package_directory(name) / "package-lock.json").read_bytes()).hexdigest()


def is_installed(name: str) -> bool:
    """Whether `node_modules` matches the lock file."""
    stamp = stamp_file(name)
    return stamp.is_file() and stamp.read_text(encoding="ascii") == lock_digest(name)


def missing_reason(*names: str) -> str | None:
    """Why the packages cannot be used; None if they can."""
    if shutil.which("node") is None:
        return "Node.js is not on PATH"
    absent = [name for name in names if not is_installed(name)]
    if absent:
        return f"npm packages not installed for {', '.join(absent)}: run `{INSTALL_COMMAND}`"
    return None


def node_is_required() -> bool:
    """Whether a missing Node or package is a failure, not a skip."""
    return os.environ.get(REQUIRE_VARIABLE) == "1"
