"""`make bench` and `make bench-quick`.

python -m tests.bench [--quick] [--only ROW]... [--json] [--output FILE]

Prints a row for each target as it is measured, and progress on standard error; the file holds every round.
`python -m tests.bench.readme` puts the table of a full run into README. Exit code 0 whether targets are reached
or not: the figures depend on the machine, and only their ratios mean anything.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from tests.bench import table
from tests.bench.rows import GROUPS, ROWS
from tests.bench.run import measured
from tests.bench.scale import FULL, QUICK

# A row, or all that are measured together.
NAMES = tuple(dict.fromkeys([*GROUPS, *(row.name for row in ROWS)]))
DEFAULT_OUTPUT = Path("build/bench.json")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure the emulator beside its peers.")
    parser.add_argument("--quick", action="store_true", help="less data and fewer rounds: under a minute")
    parser.add_argument("--only", action="append", choices=NAMES, metavar="ROW", help=f"of {', '.join(NAMES)}")
    parser.add_argument("--json", action="store_true", help="print the JSON instead of the table")
    parser.add_argument("--output", type=Path, default=DEFAULT_OUTPUT, help=f"the file (default: {DEFAULT_OUTPUT})")
    arguments = parser.parse_args()
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    if not arguments.json:
        print(table.heads(), flush=True)
    rows = []
    wanted = [row for row in ROWS if not arguments.only or {row.name, row.group} & {*arguments.only}]
    scale = QUICK if arguments.quick else FULL
    for row in measured(wanted, scale, lambda line: print(line, file=sys.stderr, flush=True)):
        rows.append(row)
        if not arguments.json:
            print(table.as_text(row, colour=colour), flush=True)
    report = {"machine": table.machine(), "quick": arguments.quick, "rows": rows}
    text = json.dumps(report, ensure_ascii=False, indent=2)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(f"{text}\n", encoding="utf-8")
    if arguments.json:
        print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
