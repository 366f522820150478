"""The long fuzz: a stateful one over HTTP, then Schemathesis on every operation and every API version.

python -m tests.fuzz --requests 100000 --schemathesis 20000
python -m tests.fuzz --replay 42/0/3:5,17,99      the steps that a failure has printed
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
import time
from typing import Any

from tests.fuzz import schemathesis_runs
from tests.fuzz.operations import OPERATIONS
from tests.fuzz.server import served
from tests.fuzz.stateful import Figures, Section, play, run, shortened

_SHORTENING_SECONDS = 120.0
_PROGRESS_SECONDS = 10.0


def main() -> int:
    asked = _arguments()
    if asked.replay:
        return _replay(asked)
    summary: dict[str, Any] = {"seed": asked.seed}
    print(f"seed {asked.seed}", file=sys.stderr, flush=True)
    failed = _stateful(asked, summary) if asked.requests else False
    for name in schemathesis_runs.NAMES if asked.schemathesis else ():
        ran = schemathesis_runs.run(name, cases=asked.schemathesis, seed=asked.seed)
        summary[f"schemathesis {name}"] = {"cases": ran.cases, "seconds": round(ran.seconds), "failed": ran.failed}
        failed |= ran.failed
    _print(summary, asked.json)
    return int(failed)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Fuzz the emulator.")
    parser.add_argument("--requests", type=int, default=100_000, help="of the stateful fuzz; 0 leaves it out")
    parser.add_argument("--schemathesis", type=int, default=20_000, help="cases for each of REST and GraphQL; 0: none")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32))
    parser.add_argument("--lanes", type=int, default=4, help="sandboxes in use at the same time")
    parser.add_argument("--data", help="folder for the data; in memory when absent")
    parser.add_argument("--database", help="URL of a PostgreSQL database for the data")
    names = [each.name for each in OPERATIONS]
    parser.add_argument(
        "--skip", nargs="*", default=[], choices=names, metavar="OPERATION", help="leave operations out"
    )
    parser.add_argument("--replay", type=Section.read, metavar="SEED/LANE/SECTION:STEPS")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")
    return parser.parse_args()


def _store(asked: argparse.Namespace) -> list[str]:
    chosen = {"--data": asked.data, "--database": asked.database}
    return [part for option, value in chosen.items() if value for part in (option, value)]


def _stateful(asked: argparse.Namespace, summary: dict[str, Any]) -> bool:
    started, shown = time.monotonic(), 0.0

    def progress(figures: Figures) -> None:
        nonlocal shown
        seconds = time.monotonic() - started
        if seconds - shown > _PROGRESS_SECONDS:
            shown = seconds
            line = f"{figures.requests} requests, {figures.requests / seconds:.0f} a second, {figures.checks} checks"
            print(line, file=sys.stderr, flush=True)

    with served(*_store(asked)) as server:
        figures = run(
            server.url, seed=asked.seed, requests=asked.requests, lanes=asked.lanes, skip=asked.skip, progress=progress
        )
        traceback = server.traceback()
    seconds = time.monotonic() - started
    summary["stateful"] = {
        "requests": figures.requests,
        "rate": round(figures.requests / seconds),
        "seconds": round(seconds),
        "sections": figures.sections,
        "checks": figures.checks,
        "slowest": round(figures.slowest, 2),
        "statuses": {str(status): number for status, number in sorted(figures.statuses.items())},
        "operations": dict(sorted(figures.operations.items())),
        "traceback": traceback,
        "failures": [_reported(failure, asked) for failure in figures.failures],
    }
    return bool(figures.failures or traceback)


def _reported(failure: Any, asked: argparse.Namespace) -> dict[str, Any]:
    """A failure after attempts to reach it with fewer steps, on one server after another."""

    def replay(section: Section) -> Any:
        with served() as server:
            return play(server.url, section, Figures(), asked.skip)

    print(f"failed: {failure.section}\n{failure.violation}\nlooking for fewer steps", file=sys.stderr, flush=True)
    short = shortened(failure, replay, seconds=_SHORTENING_SECONDS)
    return {"violation": short.violation, "replay": str(short.section), "requests": list(short.requests)}


def _replay(asked: argparse.Namespace) -> int:
    with served(*_store(asked)) as server:
        failure = play(server.url, asked.replay, Figures(), asked.skip)
        if failure:
            print("\n".join([*failure.requests, failure.violation, server.traceback()]))
        else:
            print(f"{asked.replay}: nothing failed")
    return int(failure is not None)


def _print(summary: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(summary, indent=2))
        return
    for name, figures in summary.items():
        print(f"{name}: {figures if not isinstance(figures, dict) else ''}")
        for key, value in figures.items() if isinstance(figures, dict) else ():
            if key == "failures":
                for failure in value:
                    print("  " + "\n    ".join([failure["violation"], *failure["requests"]]))
                    print(f"  again: python -m tests.fuzz --replay {failure['replay']}")
            else:
                print(f"  {key:<12}{value}")


if __name__ == "__main__":
    sys.exit(main())
