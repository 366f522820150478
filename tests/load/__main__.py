"""Load by Locust for minutes, alone and with kills in the middle: nothing that was acknowledged may be lost.

python -m tests.load                    four workers, three minutes each
python -m tests.load --time 20s --workers 2 --only server
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from functools import partial

from tests import postgresql
from tests.load.locust_environment import missing
from tests.load.run import Given, Outcome, kill_sender, kill_server, nothing, on_files, on_postgresql

RUNS: dict[str, Callable[[Given], Outcome]] = {
    "nothing": partial(on_files, strike=nothing),
    "worker": partial(on_files, strike=kill_sender),
    "server": partial(on_files, strike=kill_server),
    "servers": partial(on_postgresql, strike=kill_server),
}


def main() -> int:
    """The exit code: 1 when anything is lost or answered with 5xx."""
    parser = argparse.ArgumentParser(description="Load by Locust, with kills in the middle.")
    parser.add_argument("--time", default="3m", help="how long each run sends (default: 3m)")
    parser.add_argument("--workers", type=int, default=4, help="workers of Locust (default: 4)")
    parser.add_argument("--only", choices=RUNS, action="append", help="what is killed; everything in turn by default")
    given = parser.parse_args()
    if why := missing():
        print(why, file=sys.stderr)
        return 2
    wrong = False
    for name in given.only or RUNS:
        if name == "servers" and (why := postgresql.missing()):
            print(f"{name} skipped: {why}", flush=True)
            continue
        outcome = RUNS[name](Given(workers=given.workers, options=("--for", given.time, "--users", "64")))
        wrong = wrong or bool(outcome.wrong)
        print(f"{name}: {json.dumps(outcome.shown['total'])}\n  {json.dumps(outcome.shown['sent'])}")
        print(f"  accounted for: {outcome.shown['accountedFor']['calls']} calls, ", end="")
        print(f"{outcome.shown['accountedFor']['records']} records; {len(outcome.lost_messages)} messages lost")
        for each in outcome.wrong:
            print(f"  {each}")
        sys.stdout.flush()
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())
