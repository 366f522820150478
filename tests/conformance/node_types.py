"""Writes the types of the package for Node from the OpenAPI document: `python -m tests.conformance.node_types`."""

from __future__ import annotations

import subprocess
import sys

from .install import main as install
from .packages import NODE_HELPER, package_directory
from .served import REPOSITORY

TYPES = REPOSITORY / "contracts/clients/node/openapi.d.ts"
# A parameter that has a default may be left out.
OPTIONS = ("--default-non-nullable=false",)


def generated() -> str:
    """The declarations of `contracts/openapi.yaml`. Raises CalledProcessError from openapi-typescript."""
    program = package_directory(NODE_HELPER) / "node_modules/.bin/openapi-typescript"
    document = REPOSITORY / "contracts/openapi.yaml"
    return subprocess.run([program, document, *OPTIONS], capture_output=True, encoding="utf-8", check=True).stdout


if __name__ == "__main__":
    if code := install([NODE_HELPER]):
        sys.exit(code)
    TYPES.write_text(generated(), encoding="utf-8")
    print(f"written: {TYPES.relative_to(REPOSITORY)}")
