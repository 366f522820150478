"""Random cases for the published engine and ours; any difference is a failure.

    python -m tests.conformance.differential                      # new seed, printed first
    python -m tests.conformance.differential --seed 7 --cases 500 --versions 3.497.0 --save differences

Run `python -m tests.conformance.install` first. Cases of the mapping kit and of the filter language run on the newest
package only, destination cases on their own. Exit code 0: no difference, 1: differences, 2: cannot run.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from random import SystemRandom
from typing import Any

from emulator.harness.recorded_cases import Difference, compare, replay

from .cases import FQL, TRANSFORM, cases
from .oracle import Oracle, OracleError
from .packages import GENERATIONS, NEWEST, missing_reason

CASES_A_KIND = 2000
SHOWN_DIFFERENCES = 5
PROGRESS_EVERY = 1000
EXCERPT = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """One case with the published engine's `expected`, and its differences from ours."""

    kind: str
    case: dict[str, Any]
    differences: tuple[str, ...]


def in_any_order(outcome: dict[str, Any]) -> dict[str, Any]:
    """Several subscriptions run concurrently, so the order of their requests is undefined."""
    requests = sorted(outcome.get("requests", ()), key=lambda request: str(request["body"]))
    return {**outcome, "requests": requests}


def run_case(kind: str, case: dict[str, Any], expected: dict[str, Any]) -> CaseResult:
    """Replays the case with our engine and compares; an exception is a difference."""
    several = len(case.get("subscriptions", ())) > 1
    recorded = {**case, "expected": in_any_order(expected) if several else expected}
    try:
        outcome = replay(case)
        found = tuple(map(described, compare(recorded, in_any_order(outcome) if several else outcome)))
    except Exception as error:  # noqa: BLE001 - any exception is a finding
        found = (f"our engine raised {type(error).__name__}: {error}",)
    return CaseResult(kind=kind, case=recorded, differences=found)


def described(difference: Difference) -> str:
    """The position of a difference, with an excerpt of both."""
    pairs = zip(difference.expected, difference.found, strict=False)
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    shown = slice(max(same - EXCERPT, 0), same + EXCERPT)
    return f"{difference.where} at {same}: expected {difference.expected[shown]!r}, found {difference.found[shown]!r}"


def results(seed: int, count: int, versions: Sequence[str]) -> Iterator[CaseResult]:
    """The result of every case of every kind, in order."""
    for version in versions:
        kinds = (TRANSFORM, FQL, version) if version == NEWEST else (version,)
        with Oracle(version) as oracle:
            for kind in kinds:
                for case in cases(seed, kind, count):
                    yield run_case(kind, case, oracle.expected(case))


def save(directory: Path, result: CaseResult) -> Path:
    """Writes the case with its expected outcome to a JSON file named by its id."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{result.case['id']}.json"
    path.write_text(json.dumps(result.case, indent=2) + "\n", encoding="ascii")
    return path


def report(result: CaseResult, path: Path) -> None:
    """Prints the differences of one case."""
    print(f"DIFFERENT {result.case['id']} -> {path}")
    for difference in result.differences[:SHOWN_DIFFERENCES]:
        print(f"  {difference}")


def summarise(ran: Counter[str], different: Counter[str]) -> None:
    """Prints one line for each kind."""
    for kind, count in ran.items():
        print(f"{kind:>10}: {count} cases, {different[kind]} different")


def run(seed: int, count: int, versions: Sequence[str], directory: Path | None) -> int:
    """Runs all cases and returns the number of different ones."""
    ran: Counter[str] = Counter()
    different: Counter[str] = Counter()
    for result in results(seed, count, versions):
        ran[result.kind] += 1
        if result.differences:
            different[result.kind] += 1
            directory = directory or Path(tempfile.mkdtemp(prefix="conformance-"))
            report(result, save(directory, result))
        if ran[result.kind] % PROGRESS_EVERY == 0:
            print(f"{result.kind}: {ran[result.kind]} of {count}, {different[result.kind]} different", flush=True)
    summarise(ran, different)
    return different.total()


def arguments(words: Sequence[str] | None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.conformance.differential", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--seed", type=int, help="seed of the cases (default: a new one, printed)")
    parser.add_argument("--cases", type=int, default=CASES_A_KIND, help="cases of each kind (default: %(default)s)")
    parser.add_argument(
        "--versions", nargs="+", choices=GENERATIONS, default=list(GENERATIONS), help="generations to run"
    )
    parser.add_argument(
        "--save", type=Path, metavar="DIR", help="folder for different cases (default: a temporary one)"
    )
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    options = arguments(words)
    seed = SystemRandom().randrange(2**32) if options.seed is None else options.seed
    print(f"seed {seed}", flush=True)
    if reason := missing_reason(*options.versions):
        print(reason, file=sys.stderr)
        return 2
    try:
        return 1 if run(seed, options.cases, options.versions, options.save) else 0
    except OracleError as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
