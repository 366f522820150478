"""python -m tests.matrix [--only NAME …] [--short] [--list] [--json]: installs the wheel beside what users have."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from .checks import CHECKS
from .environments import StepFailed, build_wheel, install, interpreter, resolve, uv_command
from .rows import ROWS, SHORT, Row


def run_row(row: Row, uv: Path, wheel: Path, folder: Path) -> dict[str, Any]:
    """`name`, `result` (ok, resolved or failed) and `seconds`; of a failure also the `step` and its `output`."""
    started = time.monotonic()
    step, result, output = "install", "ok", None
    try:
        if interpreter(row.python) is None:
            step, result = "resolve", "resolved"
            resolve(row, uv)
        else:
            python = install(row, uv, wheel, folder / "environment")
            for name, check in CHECKS.items():
                step = name
                check(row, python, folder)
    except StepFailed as failed:
        result, output = "failed", str(failed)
    entry = {"name": row.name, "result": result, "seconds": round(time.monotonic() - started, 1)}
    return entry if output is None else {**entry, "step": step, "output": output}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.matrix", description=__doc__)
    parser.add_argument("--only", action="append", choices=[row.name for row in ROWS], help="a row; can be repeated")
    parser.add_argument("--short", action="store_true", help="the rows that CI runs")
    parser.add_argument("--list", action="store_true", help="print the rows and what each installs")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    given = parser.parse_args()
    names = given.only or (SHORT if given.short else [row.name for row in ROWS])
    rows = [row for row in ROWS if row.name in names]
    if given.list:
        for row in rows:
            print(f"{row.name:<18}{' '.join(row.beside)}{' (lowest versions)' if row.oldest else ''}")
        return 0
    results = []
    with tempfile.TemporaryDirectory(prefix="matrix-") as place:
        folder = Path(place)
        uv, wheel = uv_command(folder), build_wheel(folder)
        for row in rows:
            own = folder / row.name
            own.mkdir()
            results.append(run_row(row, uv, wheel, own))
            if not given.json:
                print("{name:<18}{result:<10}{seconds:>6} s".format(**results[-1]), flush=True)
                if "output" in results[-1]:
                    print("  {step}\n{output}".format(**results[-1]), flush=True)
    if given.json:
        print(json.dumps(results, indent=2))
    return 1 if any(each["result"] == "failed" for each in results) else 0


if __name__ == "__main__":
    sys.exit(main())
