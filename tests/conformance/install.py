"""Installs the pinned packages: `python -m tests.conformance.install [NAME …]`.

Runs `npm ci --ignore-scripts` in each directory under `node/`, and makes a virtual environment in each directory under
`python/`, two at a time. What is up to date is skipped. Without names, a client for Python that cannot be installed is
a failure only where it is required: nothing but its own tests needs it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from . import python_packages
from .packages import (
    ANALYTICS_NEXT,
    ANALYTICS_NODE,
    GENERATIONS,
    GRAPHQL_CLIENTS,
    GRAPHQL_YOGA,
    NODE_HELPER,
    NODE_RUNNERS,
    is_installed,
    lock_digest,
    package_directory,
    stamp_file,
)
from .python_packages import PYTHON_CLIENTS, are_required

NPM = (*GENERATIONS, ANALYTICS_NODE, ANALYTICS_NEXT, GRAPHQL_YOGA, GRAPHQL_CLIENTS, NODE_HELPER)
ALL = (*NPM, *PYTHON_CLIENTS)
# Installed only by name, for `make check-long`.
LONG = (NODE_RUNNERS,)
OPTIONS = ("--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error")
# Each waits for the network for about as long as it works.
AT_ONCE = 2


def install(name: str) -> bool:
    """Installs the packages of one directory; False if up to date. Raises CalledProcessError from npm or pip."""
    if name in PYTHON_CLIENTS:
        return python_packages.install(name)
    if is_installed(name):
        return False
    npm = shutil.which("npm")
    if npm is None:
        raise FileNotFoundError("npm is not on PATH: install Node.js 20 or newer")
    subprocess.run([npm, "ci", *OPTIONS], cwd=package_directory(name), check=True)
    stamp_file(name).write_text(lock_digest(name), encoding="ascii")
    return True


def main(arguments: Sequence[str]) -> int:
    """Exit code 0 if everything is installed, 1 if npm or pip failed, 2 for an unknown name."""
    names = arguments or ALL
    allowed = (*ALL, *LONG)
    unknown = [name for name in names if name not in allowed]
    if unknown:
        print(f"Unknown: {', '.join(unknown)}. Allowed: {', '.join(allowed)}.", file=sys.stderr)
        return 2
    with ThreadPoolExecutor(AT_ONCE) as pool:
        succeeded = [*pool.map(report, names)]
    needed = [bool(arguments) or name not in PYTHON_CLIENTS or are_required() for name in names]
    return int(any(need and not done for need, done in zip(needed, succeeded, strict=True)))


def report(name: str) -> bool:
    """Installs one and prints how it went; False when it failed."""
    try:
        print(f"{name}: {'installed' if install(name) else 'up to date'}", flush=True)
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        print(f"{name}: {error}", file=sys.stderr)
        return False
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
