"""The published engine: one Node process per generation, one JSON line per case and per outcome."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from typing import Any, Self

from .packages import NODE_FOLDER, package_directory

ORACLE_SCRIPT = NODE_FOLDER / "oracle.cjs"


class OracleError(Exception):
    """The published engine failed to run a case."""


class Oracle:
    """`with Oracle("3.497.0") as oracle: expected = oracle.expected(case)`."""

    def __init__(self, generation: str) -> None:
        self.generation = generation

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            ["node", str(ORACLE_SCRIPT), str(package_directory(self.generation))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            env={**os.environ, "TZ": "UTC"},
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def expected(self, case: Mapping[str, Any]) -> dict[str, Any]:
        """The outcome of the published engine, in the format of `expected` in recorded cases."""
        assert self._process.stdin
        assert self._process.stdout
        # ASCII only: lone surrogates cannot be encoded, and Node splits lines at U+2028.
        self._process.stdin.write(json.dumps({**case, "expected": None}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise OracleError(f"the oracle of {self.generation} ended (exit code {self._process.wait()})")
        output: dict[str, Any] = json.loads(line)
        if "failure" in output:
            raise OracleError(f"case {output['id']} on {self.generation}: {output['failure']}")
        expected: dict[str, Any] = output["expected"]
        return expected
