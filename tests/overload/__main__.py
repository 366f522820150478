"""`make overload`: whether a server answers in time while much holds on to it.

python -m tests.overload [--seconds 60]

Destinations whose endpoints answer after 9 s, requests delayed by 20 s, and 2,100 clients that send half a request, at
a server that may open 256 files. Health must be answered in under 100 ms, on new connections and on a kept one, with
less than 300 MB of memory and 1,000 lines of log. Exit code 1 when one of these is missed.
"""

from __future__ import annotations

import argparse
import sys

from tests.overload.run import Load, measure

_FILES = 256
_MOST_MILLISECONDS = 100.0
_MOST_MEGABYTES = 300.0
_MOST_LINES = 1000


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure a server under more load than it can serve.")
    parser.add_argument("--seconds", type=float, default=60.0)
    arguments = parser.parse_args()
    figures = measure(Load(), files=_FILES, seconds=arguments.seconds, report=lambda line: print(line, flush=True))
    missed = []
    for name, found, most, unit in (
        ("health, new connections", figures.new.longest, _MOST_MILLISECONDS, "ms"),
        ("health, kept connection", figures.kept.longest, _MOST_MILLISECONDS, "ms"),
        ("memory", figures.megabytes, _MOST_MEGABYTES, "MB"),
        ("log", figures.lines, _MOST_LINES, "lines"),
    ):
        result = "ok" if found < most else "MISSED"
        missed += [name] * (found >= most)
        print(f"{name:<26}{found:>10.0f} {unit:<6}under {most:.0f}  {result}")
    print(f"\n{figures.new}\n{figures.kept}\nmost open files {figures.files}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
