"""Kills the emulator and its database under mixed load, and checks after each kill that nothing is lost.

python -m tests.durability                          100 kills on SQLite, 30 on PostgreSQL
python -m tests.durability --sqlite 3 --postgresql 0 --json
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from itertools import count
from random import Random, SystemRandom
from typing import Any

import httpx

from tests import postgresql
from tests.durability.invariants import violations
from tests.durability.load import Known, Load, add_fault
from tests.durability.targets import Target, opened

# What is checked grows with every round, so that it is deleted now and then.
ROUNDS_UNTIL_RESET = 5
ACKNOWLEDGED = (5, 40)


def run(store: str, kills: int, seed: int, report: Callable[[str], None] = print) -> dict[str, Any]:
    """The summary of so many kills: `{"store", "kills", "acknowledged", "violations", "seconds"}`."""
    random, started = Random(seed), time.monotonic()
    numbers = count(1)
    acknowledged, found, struck = 0, [], Counter[str]()
    with opened(store) as target:
        known = Known()
        for number in range(kills):
            what, broken = _round(target, number, known, random, lambda: next(numbers))
            struck[what] += 1
            found += [f"{store}, kill {number + 1} ({what}): {each}" for each in broken]
            report(f"{store} {number + 1}/{kills} {what}: {known.acknowledged} acknowledged, {len(broken)} violations")
            for each in broken:
                report(f"  {each}")
            if broken or number % ROUNDS_UNTIL_RESET == ROUNDS_UNTIL_RESET - 1:
                acknowledged += known.acknowledged
                httpx.post(f"{target.url}/_emulator/reset", trust_env=False, timeout=60).raise_for_status()
                known = Known()
        acknowledged += known.acknowledged
    seconds = round(time.monotonic() - started, 1)
    return {
        "store": store,
        "seed": seed,
        "kills": dict(struck),
        "acknowledged": acknowledged,
        "violations": found,
        "seconds": seconds,
    }


def _round(
    target: Target, number: int, known: Known, random: Random, numbers: Callable[[], int]
) -> tuple[str, list[str]]:
    if target.shared and known.fault is None:
        known.fault = add_fault(target.url)
    load = Load(target.url, known, random, numbers)
    load.start_and_wait(random.randint(*ACKNOWLEDGED))
    what = target.strike(number, random)
    load.stop()
    target.recover()
    broken = violations(target.url, target.query, known, shared=target.shared)
    known.problems.clear()
    return what, broken


def main() -> int:
    """The exit code: 1 for a violation."""
    parser = argparse.ArgumentParser(description="Kill the emulator under load and check what is stored.")
    parser.add_argument("--sqlite", type=int, default=100, help="kills on SQLite (default: 100)")
    parser.add_argument("--postgresql", type=int, default=30, help="kills on PostgreSQL (default: 30)")
    parser.add_argument("--seed", type=int, help="what is sent and when it is killed; another one each time by default")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")
    given = parser.parse_args()
    seed = SystemRandom().randrange(2**32) if given.seed is None else given.seed
    wanted = {"sqlite": given.sqlite, "postgresql": given.postgresql}
    if wanted["postgresql"] and (why := postgresql.missing()):
        print(f"postgresql skipped: {why}", file=sys.stderr)
        wanted["postgresql"] = 0

    def report(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    summaries = [run(store, kills, seed, report) for store, kills in wanted.items() if kills]
    if given.json:
        print(json.dumps(summaries, indent=2))
    else:
        for each in summaries:
            kills = ", ".join(f"{number} of the {what}" for what, number in each["kills"].items())
            print(
                f"{each['store']}: kills: {kills}; {each['acknowledged']} calls acknowledged, "
                f"{len(each['violations'])} violations, {each['seconds']} s (--seed {seed})"
            )
    return 1 if any(each["violations"] for each in summaries) else 0


if __name__ == "__main__":
    sys.exit(main())
