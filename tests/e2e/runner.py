"""A runner of GitHub Actions as far as the actions of this repository need one: composite actions with steps for bash.

It reads what GitHub documents for action metadata, the files of a step (`GITHUB_ENV`, `GITHUB_OUTPUT`, `GITHUB_PATH`,
`GITHUB_STEP_SUMMARY`) and `::add-mask::`. Anything else in an action fails here.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.e2e.installed import ROOT

ACTIONS = ROOT / ".github" / "actions"
_EXPRESSION = re.compile(r"\$\{\{\s*([\w.-]+)\s*\}\}")
_MASK = re.compile(r"^::add-mask::(.*)$", re.MULTILINE)
_SECONDS = 120


class StepFailed(AssertionError):
    """A step ended with another code than 0; the text is its log."""


def action(name: str) -> Mapping[str, Any]:
    """The metadata of an action of this repository."""
    document: Mapping[str, Any] = yaml.safe_load((ACTIONS / name / "action.yml").read_text(encoding="utf-8"))
    return document


def expressions(text: str) -> list[str]:
    """What each `${{ … }}` refers to."""
    return _EXPRESSION.findall(text)


@dataclass
class Job:
    """A job: its workspace, and what its steps have left so far. `log` is what GitHub shows, with the masks applied.

    `after` has what to do after steps of actions, by name.
    """

    folder: Path
    base: Mapping[str, str]
    after: dict[str, Callable[[], None]] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    paths: list[str] = field(default_factory=list)
    masks: list[str] = field(default_factory=list)
    log: str = ""
    summary: str = ""

    def __post_init__(self) -> None:
        self.workspace = self.folder / "workspace"
        for each in (self.workspace, self.folder / "temp", self.folder / "files"):
            each.mkdir(parents=True)

    def uses(self, name: str, **inputs: str) -> dict[str, str]:
        """Runs an action as a step; returns its outputs. Raises StepFailed."""
        metadata = action(name)
        declared = metadata.get("inputs", {})
        assert inputs.keys() <= declared.keys()
        values = {f"inputs.{key}": inputs.get(key, each["default"]) for key, each in declared.items()}
        for step in metadata["runs"]["steps"]:
            assert step.keys() <= {"name", "id", "shell", "env", "run"}
            assert step["shell"] == "bash"
            variables = {key: _evaluated(text, values) for key, text in step.get("env", {}).items()}
            outputs = self.run(step["run"], {**variables, "GITHUB_ACTION_PATH": str(ACTIONS / name)})
            self.after.get(step["name"], lambda: None)()
            values |= {f"steps.{step.get('id')}.outputs.{key}": value for key, value in outputs.items()}
        return {key: _evaluated(each["value"], values) for key, each in metadata.get("outputs", {}).items()}

    def run(self, script: str, variables: Mapping[str, str] | None = None) -> dict[str, str]:
        """Runs a step with bash; returns its outputs. Raises StepFailed."""
        files = {name: self.folder / "files" / name for name in ("ENV", "OUTPUT", "PATH", "STEP_SUMMARY")}
        for each in files.values():
            each.write_text("")
        program = self.folder / "files" / "script.sh"
        program.write_text(script, encoding="utf-8")
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", program],
            cwd=self.workspace,
            env={**self._variables(), **(variables or {}), **{f"GITHUB_{name}": str(at) for name, at in files.items()}},
            # The runner reads both streams into one log.
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        self.masks += [each.replace("%25", "%") for each in _MASK.findall(done.stdout)]
        shown = _MASK.sub("", done.stdout)
        for mask in self.masks:
            shown = shown.replace(mask, "***")
        self.log += shown
        self.environment |= _pairs(files["ENV"])
        self.paths += files["PATH"].read_text().splitlines()
        self.summary += files["STEP_SUMMARY"].read_text(encoding="utf-8")
        if done.returncode:
            raise StepFailed(shown)
        return _pairs(files["OUTPUT"])

    def _variables(self) -> dict[str, str]:
        path = os.pathsep.join([*reversed(self.paths), self.base["PATH"]])
        runner = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_WORKSPACE": str(self.workspace),
            "RUNNER_TEMP": str(self.folder / "temp"),
        }
        return {**self.base, **runner, **self.environment, "PATH": path}


def _evaluated(text: str, values: Mapping[str, str]) -> str:
    return _EXPRESSION.sub(lambda found: values[found[1]], text)


def _pairs(file: Path) -> dict[str, str]:
    """The variables or outputs in a file: `NAME=value`, or `NAME<<END` and lines."""
    pairs: dict[str, str] = {}
    lines = iter(file.read_text(encoding="utf-8").splitlines())
    for line in lines:
        if several := re.fullmatch(r"(\w+)<<(.+)", line):
            value = []
            while (each := next(lines)) != several[2]:
                value.append(each)
            pairs[several[1]] = "\n".join(value)
        else:
            name, sign, value_ = line.partition("=")
            assert sign, line
            pairs[name] = value_
    return pairs
