"""`load` as far as it needs no Locust: its options, what it refuses, and the comparison of ledgers."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from emulator.load.people_sequence import PeopleSequence
from emulator.load.person_request import SEGMENT, SIDES
from emulator.load.worker_ledger import ACKNOWLEDGED, SENT, Ledger
from emulator.workspace import load_workspace

Call = Callable[..., subprocess.CompletedProcess[str]]


def send(url: str, ledgers: Path, *, without: int = 0, count: int = 30) -> None:
    """Sends people and notes everything as acknowledged, although the last `without` requests are not sent."""
    people = PeopleSequence(seed=5, workspace=load_workspace(), advertiser="1001", count=count)
    given = [each for side in SIDES for requests in people.of_worker(side, worker=0, workers=1) for each in requests]
    with_records = [each for each in given if not each.name.startswith("upsert, as the destination")]
    ledger = Ledger(ledgers, 0)
    with httpx.Client(base_url=url, trust_env=False, timeout=60) as client:
        for number, request in enumerate(with_records):
            ledger.write(request, SENT)
            if number < len(with_records) - without:
                auth = ("segment-local", "") if request.side == SEGMENT else None
                headers = {"Content-Type": "application/json"}
                if auth is None:
                    headers["Authorization"] = "Bearer sa-local-write"
                client.post(request.path, content=request.body, headers=headers, auth=auth).raise_for_status()
            ledger.write(request, ACKNOWLEDGED, 200)
    ledger.close()


@pytest.mark.parametrize("without", [0, 3])
def test_ledgers_are_compared_with_what_the_emulator_has(
    call: Call, emulate: Callable[..., str], tmp_path: Path, without: int
) -> None:
    url = emulate()
    send(url, tmp_path, without=without)
    shown = call("load", "--compare", str(tmp_path), "--url", url, "--json")
    found: dict[str, Any] = json.loads(shown.stdout)
    assert shown.returncode == (1 if without else 0), shown.stdout
    assert found["accountedFor"]["calls"] == found["sent"]["calls"]["acknowledged"] > 0
    lost = found["sent"]["records"]["acknowledged"] - found["accountedFor"]["records"]
    assert bool(lost) == bool(found["problems"]) == bool(without)
    printed = call("load", "--compare", str(tmp_path), "--url", url).stdout
    assert ("Everything that was acknowledged is accounted for." in printed) == (not without)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--users", "1", "--workers", "2"], "--users: a worker would have no user"),
        (["--for", "soon"], "--for: invalid duration"),
        (["--for", "0.1s"], "--for: must be a second or longer"),
        (["--rate", "nan"], "'nan' is not a finite number"),
        (["--compare", "emulator"], "--compare: there are no ledgers in this folder"),
        (["--output", "emulator"], "--output: the folder is not empty"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_sent(
    call: Call, emulate: Callable[..., str], monkeypatch: pytest.MonkeyPatch, options: list[str], said: str
) -> None:
    monkeypatch.setattr("emulator.cli.load.check_installed", lambda: None)
    shown = call("load", "--url", emulate(), *options)
    assert shown.returncode == 2
    assert said in shown.stderr


def test_another_host_is_not_written_to(call: Call) -> None:
    shown = call("load", "--url", "http://emulator.example:8585")
    assert shown.returncode == 2
    assert "this is another host, and nothing was sent" in shown.stderr


def test_a_signal_ends_its_processes_as_well(
    call: Call, emulate: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = signal.getsignal(signal.SIGTERM)
    started: list[subprocess.Popen[bytes]] = []

    def begin(*_given: object, **_named: object) -> subprocess.Popen[bytes]:
        process = sleeping([sys.executable, "-c", "import time; print(1, flush=True); time.sleep(600)"], stdout=-1)
        started.append(process)
        if len(started) > 1:
            signal.raise_signal(signal.SIGTERM)
        return process

    sleeping = subprocess.Popen
    monkeypatch.setattr("emulator.cli.load.check_installed", lambda: None)
    url = emulate()
    monkeypatch.setattr("emulator.load.locust_run.subprocess.Popen", begin)
    assert call("load", "--url", url, "--workers", "2").returncode == 128 + signal.SIGTERM
    assert [each.returncode for each in started] == [-signal.SIGKILL] * 2
    assert signal.getsignal(signal.SIGTERM) == before


def test_without_locust_the_extra_to_install_is_named(
    call: Call, emulate: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emulator.load.locust_run.find_spec", lambda name: None)
    shown = call("load", "--url", emulate())
    assert shown.returncode == 2
    assert "pip install 'stackadapt-emulator[load]'" in shown.stderr


def test_nothing_but_its_own_processes_imports_gevent() -> None:
    modules = "emulator.cli.load, emulator.cli.serve, emulator.server.emulator, emulator.load.people_sequence"
    code = f"import sys, {modules}; print(sorted({{'gevent', 'locust'}} & sys.modules.keys()))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "[]\n"
