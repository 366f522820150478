"""`make soak`: whether a server stays as it is under mixed load over 64 connections.

python -m tests.soak [--minutes 10]

Mutations of one profile and of a hundred, pages and identify calls, all about the same people. The data is in files, so
that the memory of the process is everything else. Exit code 1 when the memory grows after the first minute, when a
request fails, or when the 99th percentile of the time of an answer is more than three times the median.
"""

from __future__ import annotations

import argparse
import sys

from tests.soak.run import Load, missed, soak

_GROWTH = 1.1
_SPREAD = 3.0
_PARTS_A_MINUTE = 4


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description="Load a server for minutes.")
    parser.add_argument("--minutes", type=int, default=10, help="with the first one, at least 2 (default: %(default)s)")
    minutes = max(parser.parse_args().minutes, 2)
    load = Load(part_seconds=60 / _PARTS_A_MINUTE, warm_up_parts=_PARTS_A_MINUTE, parts=(minutes - 1) * _PARTS_A_MINUTE)
    soaked = soak(load, lambda line: print(line, flush=True))
    answers = soaked.answers
    print(f"\nanswers  {len(answers.taken):,}, {answers.errors.total()} failed")
    print(f"time     p50 {answers.milliseconds(0.5):.0f} ms, p99 {answers.milliseconds(0.99):.0f} ms")
    memory = f"{soaked.warm_mebibytes:.0f} MiB after a minute, {soaked.growth:.2f} times as much at the end"
    print(f"memory   {memory}, {max(soaked.mebibytes):.0f} MiB at most")
    print(f"data     {soaked.records:,} records in files")
    found = missed(soaked, growth=_GROWTH, spread=_SPREAD)
    print("\n".join(f"MISSED   {each}" for each in found) or "ok")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
