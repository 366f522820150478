"""Load by a real Locust on loopback: master and workers, and one process without any."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest

from emulator.load.locust_run import LOCUSTFILE
from emulator.load.worker_ledger import Tally
from tests.load.locust_environment import load, locust

from .python_packages import LOCUST
from .served import ServedEmulator

SECONDS = 90
PEOPLE = "120"
PARTS = ("segment", "deliveries", "stackadapt")


def places(found: dict[str, Any]) -> Counter[tuple[str, str, str | None]]:
    return Counter(
        {(part, each["at"], each["reason"]): each["count"] for part in PARTS for each in found["accountedFor"][part]}
    )


@pytest.mark.python_client(LOCUST)
def test_two_workers_and_one_process_send_the_same_and_all_of_it_is_accounted_for(
    python_client: None, served: ServedEmulator, tmp_path: Path
) -> None:
    """The process alone is the plain locustfile, whose ledgers are compared afterwards."""
    people = ("--people", PEOPLE, "--users", "8")
    with locust("-f", str(LOCUSTFILE), "--headless", "--only-summary", "--host", served.url, *people, "-r", "8",
                "--ledger", str(tmp_path), "--loglevel", "ERROR") as alone:  # fmt: skip
        alone.communicate(timeout=SECONDS)
    assert alone.returncode == 0
    tally = Tally(tmp_path)
    tally.update()
    with load("--compare", str(tmp_path), "--url", served.url, "--json") as compared:
        of_one = json.loads(compared.communicate(timeout=SECONDS)[0])
    assert of_one["problems"] == []
    httpx.post(f"{served.url}/_emulator/reset", trust_env=False, timeout=SECONDS).raise_for_status()
    with load("--url", served.url, *people, "--workers", "2", "--json") as loading:
        of_two = json.loads(loading.communicate(timeout=SECONDS)[0])
    assert loading.returncode == 0, of_two
    assert of_two["problems"] == []
    assert of_two["sent"] == of_one["sent"]
    assert of_two["sent"]["calls"]["acknowledged"] == of_two["accountedFor"]["calls"] > 0
    assert of_two["sent"]["records"]["acknowledged"] == of_two["accountedFor"]["records"] > 0
    assert places(of_two) == places(of_one)
    assert of_two["total"]["requests"] == tally.ends.total()
    assert of_two["total"]["failures"] == 0
