"""Random cases through the published engine and through ours; any difference is a failure.

    python -m tests.conformance.differential                      # a fresh seed, printed first
    python -m tests.conformance.differential --seed 7 --cases 500 --versions 3.497.0 --save differences

Installs nothing: run `python -m tests.conformance.install` first. Cases of the mapping kit and of the filter language
run once, on the newest generation; destination cases run on their own. Exit code 0: no difference, 1: some, 2: cannot
run.
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
class Verdict:
    """One case with the published engine's `expected`, what ours made of it, and where they differ."""

    kind: str
    case: dict[str, Any]
    differences: tuple[str, ...]


def in_any_order(outcome: dict[str, Any]) -> dict[str, Any]:
    """Several subscriptions run at once, so the order in which their requests arrive means nothing."""
    requests = sorted(outcome.get("requests", ()), key=lambda request: str(request["body"]))
    return {**outcome, "requests": requests}


def classify_response(kind: str, case: dict[str, Any], expected: dict[str, Any]) -> Verdict:
    """Replays the case with our engine and compares. An exception of ours is a difference like any other."""
    several = len(case.get("subscriptions", ())) > 1
    recorded = {**case, "expected": in_any_order(expected) if several else expected}
    try:
        outcome = replay(case)
        found = tuple(map(described, compare(recorded, in_any_order(outcome) if several else outcome)))
    except Exception as error:  # noqa: BLE001 - whatever ours raises is what the run is there to find
        found = (f"our engine raised {type(error).__name__}: {error}",)
    return Verdict(kind=kind, case=recorded, differences=found)


def described(difference: Difference) -> str:
    """Where the two differ, with as much of both as shows it."""
    pairs = zip(difference.expected, difference.found, strict=False)
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    shown = slice(max(same - EXCERPT, 0), same + EXCERPT)
    return f"{difference.where} at {same}: expected {difference.expected[shown]!r}, found {difference.found[shown]!r}"


def verdicts(seed: int, count: int, versions: Sequence[str]) -> Iterator[Verdict]:
    """Every case of every kind, in order."""
    for version in versions:
        kinds = (TRANSFORM, FQL, version) if version == NEWEST else (version,)
        with Oracle(version) as oracle:
            for kind in kinds:
                for case in cases(seed, kind, count):
                    yield classify_response(kind, case, oracle.expected(case))


def save(directory: Path, verdict: Verdict) -> Path:
    """Writes the case, with what was expected, as one JSON file named by its id."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{verdict.case['id']}.json"
    path.write_text(json.dumps(verdict.case, indent=2) + "\n", encoding="ascii")
    return path


def report(verdict: Verdict, path: Path) -> None:
    """Says where one case differs."""
    print(f"DIFFERENT {verdict.case['id']} -> {path}")
    for difference in verdict.differences[:SHOWN_DIFFERENCES]:
        print(f"  {difference}")


def summarise(ran: Counter[str], different: Counter[str]) -> None:
    """One line a kind."""
    for kind, count in ran.items():
        print(f"{kind:>10}: {count} cases, {different[kind]} different")


def run(seed: int, count: int, versions: Sequence[str], directory: Path | None) -> int:
    """Runs everything, prints as it goes, and returns the number of cases that differ."""
    ran: Counter[str] = Counter()
    different: Counter[str] = Counter()
    for verdict in verdicts(seed, count, versions):
        ran[verdict.kind] += 1
        if verdict.differences:
            different[verdict.kind] += 1
            directory = directory or Path(tempfile.mkdtemp(prefix="conformance-"))
            report(verdict, save(directory, verdict))
        if ran[verdict.kind] % PROGRESS_EVERY == 0:
            print(f"{verdict.kind}: {ran[verdict.kind]} of {count}, {different[verdict.kind]} different", flush=True)
    summarise(ran, different)
    return different.total()


def arguments(words: Sequence[str] | None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.conformance.differential", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--seed", type=int, help="seed of the cases (default: a fresh one, printed)")
    parser.add_argument("--cases", type=int, default=CASES_A_KIND, help="cases of each kind (default: %(default)s)")
    parser.add_argument(
        "--versions", nargs="+", choices=GENERATIONS, default=list(GENERATIONS), help="generations to run"
    )
    parser.add_argument(
        "--save", type=Path, metavar="DIR", help="where differing cases go (default: a temporary directory)"
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
