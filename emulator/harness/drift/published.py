"""An installed `@segment/action-destinations` beside the recorded wire format of the nearest known version.

What is recorded is the mapping engine: for each version that it knows, it sends byte for byte what that version sends.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from graphql import GraphQLError, parse, validate

from emulator.artefacts import contract_json
from emulator.errors import InputError, UserMistake
from emulator.harness.drift.cases import cases
from emulator.harness.drift.definition_changes import definition_findings
from emulator.harness.drift.finding import BREAKING, CRITICALITIES, DANGEROUS, Finding
from emulator.harness.recorded_cases import Case, Difference, compare, replay
from emulator.mapping import Definition, load_definition, nearest_generation
from emulator.stackadapt.graphql.schema import API_VERSIONS, executable_schema

PACKAGE: Final = "@segment/action-destinations"
_SCRIPT = Path(__file__).with_name("published.cjs")
_SECONDS = 300
_AROUND = 40
# What node needs to run. The rest of the environment, tokens above all, is none of the package's business.
_ENVIRONMENT = ("PATH", "SYSTEMROOT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """An installed version, the known one it was held against, and what differs, the worst first."""

    version: str
    generation: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """One case and what the installed package did with it; `urls` are where its requests were meant to go."""

    case: Case
    expected: Mapping[str, Any]
    urls: tuple[str, ...]


def compare_published(directory: Path) -> Compared:
    """Runs every case of the nearest known generation through the package in `directory` and through our engine.

    `directory` is the package or the folder whose `node_modules` holds it. Needs Node. Raises InputError when there is
    no such package, UserMistake when it cannot be run. No request leaves the machine.
    """
    package = _package(directory)
    version = _version(package)
    definition = load_definition(nearest_generation(version))
    installed, runs = _run(package, list(cases(definition)))
    findings = [
        *definition_findings(_recorded(definition.generation), installed),
        *_endpoint_findings(definition, runs),
        *_wire_findings(runs),
    ]
    findings.sort(key=lambda each: CRITICALITIES.index(each.criticality))
    return Compared(version=version, generation=definition.generation, findings=tuple(findings))


def _package(directory: Path) -> Path:
    for folder in (directory, directory / "node_modules" / PACKAGE):
        if _manifest(folder).get("name") == PACKAGE:
            return folder
    raise InputError(
        f"{PACKAGE} is not installed here",
        where=str(directory),
        hint=f"Name the folder in which you ran npm install {PACKAGE}.",
    )


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        content = json.loads((folder / "package.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _version(package: Path) -> str:
    version = _manifest(package).get("version")
    if not isinstance(version, str):
        raise InputError("this package has no version", where=str(package / "package.json"))
    return version


def _recorded(generation: str) -> Mapping[str, Any]:
    content: dict[str, Any] = contract_json(f"segment/destinations/{generation}.json")
    return _recorded(content["same_as"]) if "same_as" in content else content


def _run(package: Path, asked: Sequence[Case]) -> tuple[Mapping[str, Any], list[_Run]]:
    """The installed definition, and what the package did with each case."""
    node = shutil.which("node")
    if node is None:
        raise UserMistake("running the package needs Node.js, and there is no node on PATH", hint="Install Node.js.")
    lines = "".join(f"{json.dumps(case)}\n" for case in asked)
    try:
        done = subprocess.run(  # noqa: S603 - the script is ours, the package is what the caller asks to run
            [node, str(_SCRIPT), str(package)],
            input=lines,
            capture_output=True,
            encoding="utf-8",
            timeout=_SECONDS,
            env={"TZ": "UTC", **{name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}},
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise UserMistake(f"the package was not done after {_SECONDS} seconds", where=str(package)) from None
    answers = done.stdout.rstrip("\n").split("\n")
    if done.returncode != 0 or len(answers) != len(asked) + 1:
        told = done.stderr.strip().partition("\n")[0] or f"node ended with exit code {done.returncode}"
        raise UserMistake(f"the package cannot be run: {told}", where=str(package))
    first, *rest = map(json.loads, answers)
    runs = [
        _Run(case=case, expected=answer["expected"], urls=tuple(answer["urls"]))
        for case, answer in zip(asked, rest, strict=True)
    ]
    return first["definition"], runs


def _endpoint_findings(definition: Definition, runs: Sequence[_Run]) -> Iterator[Finding]:
    for url in sorted({url for run in runs for url in run.urls} - {definition.endpoint}):
        yield Finding(
            criticality=BREAKING,
            kind="ENDPOINT",
            path="endpoint",
            message=f"requests go to {url}, recorded is {definition.endpoint}.",
            breaks="Whatever listens at the recorded address gets nothing.",
        )


def _wire_findings(runs: Sequence[_Run]) -> Iterator[Finding]:
    """One finding for each purpose and part of a request or result, with the first of its cases."""
    groups: defaultdict[tuple[str, str], list[tuple[_Run, Difference]]] = defaultdict(list)
    for run in runs:
        for difference in compare({**run.case, "expected": run.expected}, replay(run.case)):
            groups[run.case["purpose"], difference.where].append((run, difference))
    for (purpose, where), different in groups.items():
        run, difference = different[0]
        asked = sum(each.case["purpose"] == purpose for each in runs)
        on_the_wire = where.startswith("requests")
        yield Finding(
            criticality=BREAKING if on_the_wire else DANGEROUS,
            kind="WIRE" if on_the_wire else "RESULT",
            path=f"{purpose}: {where}",
            message=f"{len(different)} of {asked} cases differ, first {run.case['id']!r}: {_excerpts(difference)}",
            breaks=_verdict(run) if on_the_wire else "Segment reports something else about the event.",
        )


def _excerpts(difference: Difference) -> str:
    recorded, installed = difference.found, difference.expected
    pairs = zip(recorded, installed, strict=False)
    start = next((at for at, (left, right) in enumerate(pairs) if left != right), min(len(recorded), len(installed)))
    return f"recorded {_excerpt(recorded, start)} installed {_excerpt(installed, start)}"


def _excerpt(text: str, start: int) -> str:
    begin = max(0, start - _AROUND)
    return ("…" if begin else "") + text[begin : start + _AROUND] + ("…" if len(text) > start + _AROUND else "")


def _verdict(run: _Run) -> str:
    """What StackAdapt's contract says to the documents that the package sent."""
    problems = [_problem(request["body"]) for request in run.expected["requests"]]
    refused = next((problem for problem in problems if problem is not None), None)
    if refused is not None:
        return f"StackAdapt's contract refuses what is sent now: {refused}"
    return "StackAdapt's contract accepts what is sent now." if problems else "Nothing is sent any more."


def _problem(body: str) -> str | None:
    """Why no API version of StackAdapt accepts a request's document; None when one does."""
    try:
        document = parse(json.loads(body)["query"])
    except (GraphQLError, ValueError, KeyError, TypeError) as error:
        return str(error).partition("\n")[0]
    errors = [validate(executable_schema(api_version), document) for api_version in API_VERSIONS]
    return None if not all(errors) else errors[0][0].message.partition("\n")[0]
