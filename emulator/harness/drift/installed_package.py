"""An installed `@segment/action-destinations`, run by Node with requests that never leave the machine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from emulator.artefacts import contract_json
from emulator.errors import InputError, UserMistake
from emulator.harness.recorded_cases import Case
from emulator.text_files import read_text

PACKAGE: Final = "@segment/action-destinations"
_SCRIPT = Path(__file__).with_name("published.cjs")
_TIMEOUT_SECONDS = 300
# What Node needs to run. The package gets nothing else of the environment, above all no tokens.
_ENVIRONMENT = ("PATH", "SYSTEMROOT")


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageRun:
    """One case, what the installed package did with it, and the URLs that it requested."""

    case: Case
    expected: Mapping[str, Any]
    urls: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledPackage:
    """The folder of an installed package and its version."""

    folder: Path
    version: str

    def run(self, cases: Sequence[Case]) -> tuple[Mapping[str, Any], list[PackageRun]]:
        """The installed definition in the form of the contract, and what the package did with each recorded case.

        Needs Node; no request leaves the machine. Raises UserMistake if the package cannot be run.
        """
        node = shutil.which("node")
        if node is None:
            raise UserMistake(
                "running the package needs Node.js, but node is not on PATH",
                where=str(self.folder),
                hint="Install Node.js.",
            )
        try:
            done = subprocess.run(  # noqa: S603 - the caller asks to run this package
                [node, str(_SCRIPT), str(self.folder)],
                input="".join(f"{json.dumps(case)}\n" for case in cases),
                capture_output=True,
                encoding="utf-8",
                timeout=_TIMEOUT_SECONDS,
                env={"TZ": "UTC", **{name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}},
                check=False,
            )
        except subprocess.TimeoutExpired:
            message = f"the package did not finish within {_TIMEOUT_SECONDS} seconds"
            raise UserMistake(message, where=str(self.folder)) from None
        lines = done.stdout.rstrip("\n").split("\n")
        if done.returncode != 0 or len(lines) != len(cases) + 1:
            reason = done.stderr.strip().partition("\n")[0] or f"node ended with exit code {done.returncode}"
            raise UserMistake(f"the package cannot be run: {reason}", where=str(self.folder))
        first, *rest = map(json.loads, lines)
        runs = [
            PackageRun(case=case, expected=result["expected"], urls=tuple(result["urls"]))
            for case, result in zip(cases, rest, strict=True)
        ]
        return first["definition"], runs


def package_in(directory: Path) -> InstalledPackage:
    """The package in a folder, which is its own or has it in `node_modules`. Raises InputError if there is none."""
    for folder in (directory, directory / "node_modules" / PACKAGE):
        try:
            manifest = json.loads(read_text(folder / "package.json"))
        except (InputError, ValueError):
            continue
        if isinstance(manifest, dict) and manifest.get("name") == PACKAGE:
            if not isinstance(version := manifest.get("version"), str):
                raise InputError("this package has no version", where=str(folder / "package.json"))
            return InstalledPackage(folder=folder, version=version)
    hint = f"Give the folder in which you ran npm install {PACKAGE}."
    raise InputError(f"{PACKAGE} is not installed here", where=str(directory), hint=hint)


def content_of(generation: str) -> Mapping[str, Any]:
    """The definition of a known generation in the form of the contract."""
    content: dict[str, Any] = contract_json(f"segment/destinations/{generation}.json")
    return content_of(content["same_as"]) if "same_as" in content else content
