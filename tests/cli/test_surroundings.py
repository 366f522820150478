"""What a command does whatever is around it: a full disk, a closed stream, a reader that leaves, a deleted folder."""

from __future__ import annotations

import io
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from emulator.cli import COMMANDS, main, streams
from emulator.harness.coverage import Coverage, Section, written
from emulator.server import plan_runs
from tests.conftest import READY_SECONDS, ROOT, command, environment

Run = Callable[..., subprocess.CompletedProcess[str]]

# Each command, or a part of it, as a line that prints something. EVENTS, CASES and COVERAGE are files.
PRINTING = {
    "help": "--help",
    "docs": "docs getting-started",
    "fidelity": "fidelity email",
    "mutate": "mutate --only swap-join",
    "mutate list": "mutate --list",
    "fidelity probe": "fidelity probe --list --only R8",
    "plan": "plan default default --people 2",
    "plan JSON": "plan default default --people 2 --json",
    "upgrade-check": "upgrade-check 3.517.0 --people 2",
    "upgrade-check JSON": "upgrade-check 3.517.0 --people 2 --json",
    "grade": "grade --list",
    "coverage": "coverage COVERAGE",
    "coverage JSON": "coverage COVERAGE --json",
    "lint": "lint",
    "lint JSON": "lint --json",
    "map": "map EVENTS",
    "map JSON": "map --json EVENTS",
    "explain": "explain EVENTS",
    "validate": "validate EVENTS",
    "generate people": "generate people --count 3",
    "generate identifies": "generate identifies --count 300",
    "generate workspace": "generate workspace",
    "demo": "demo --people 10",
    "replay": "replay CASES",
    "replay compare": "replay --compare CASES",
    "verify": "verify -k opted-in",
    "verify list": "verify --list",
    "drift": "drift --schema contracts/stackadapt/2026-06/schema.graphql",
}
# They need a running emulator, and print what `call` tests elsewhere, or serve until they are stopped.
OTHERS = {
    "serve",
    "start",
    "status",
    "wait",
    "env",
    "stop",
    "exec",
    "trigger",
    "why",
    "events",
    "funnel",
    "load",
    "segments",
    "clock",
    "workspace",
    "snapshot",
    "record",
    "mcp",
    "test-connection",
}
EVENT = {"type": "identify", "userId": "u1", "traits": {"email": "zoë@example.com", "first_name": "Zoë 😀"}}
CASE = {"id": "é😀", "kind": "transform", "mapping": {"a": "é"}, "payload": {}, "expected": {"output": {"a": "é"}}}
FULL = "error: cannot write standard output: no space left on the device. Free some space, or choose another device.\n"


def test_the_table_has_every_command() -> None:
    assert {line.split()[0] for line in PRINTING.values()} - {"--help"} | OTHERS == COMMANDS.keys()


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "events.jsonl").write_text(json.dumps(EVENT) + "\n")
    (tmp_path / "cases.jsonl").write_text(json.dumps(CASE) + "\n")
    found = Coverage()
    found.add("sent", Section("identify of é😀"), "traits.é😀", covered=False)
    written(found, tmp_path / "coverage.json")
    names = {"EVENTS": "events.jsonl", "CASES": "cases.jsonl", "COVERAGE": "coverage.json"}
    return {name: str(tmp_path / file) for name, file in names.items()}


@pytest.fixture
def to(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], files: dict[str, str]) -> Iterator[Run]:
    """Runs a command line in this process with a standard output of its own."""
    opened: list[io.TextIOWrapper] = []

    def to(number: int, line: str, encoding: str = "utf-8") -> subprocess.CompletedProcess[str]:
        raw = streams._Stream(number, dropping=False)
        out = io.TextIOWrapper(io.BufferedWriter(raw), encoding=encoding, errors="stackadapt-emulator-escaped")
        opened.append(out)
        monkeypatch.setenv("NO_COLOR", "1")
        monkeypatch.setattr(sys, "stdout", out)
        monkeypatch.setattr(sys, "argv", ["x", *(files.get(word, word) for word in line.split())])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        return subprocess.CompletedProcess(line, code, "", capsys.readouterr().err)

    yield to
    for out in opened:
        out.detach()


@pytest.mark.parametrize("name", PRINTING)
def test_a_full_standard_output_is_one_line_and_code_2(to: Run, name: str) -> None:
    number = os.open("/dev/full", os.O_WRONLY)
    shown = to(number, PRINTING[name])
    os.close(number)
    assert (shown.returncode, shown.stderr) == (2, FULL)


@pytest.mark.parametrize("name", PRINTING)
def test_a_reader_that_leaves_is_no_error(to: Run, name: str) -> None:
    read, write = os.pipe()
    os.close(read)
    shown = to(write, PRINTING[name])
    os.close(write)
    assert (shown.returncode, shown.stderr) == (0, "")


@pytest.mark.parametrize("name", PRINTING)
def test_what_an_encoding_lacks_is_escaped(to: Run, name: str, tmp_path: Path) -> None:
    file = tmp_path / "out"
    number = os.open(file, os.O_WRONLY | os.O_CREAT)
    shown = to(number, PRINTING[name], "latin-1")
    os.close(number)
    assert (shown.returncode, shown.stderr) == (0, ""), shown.stderr
    text = file.read_text("latin-1")
    assert text
    if name == "replay":
        assert "\\u" in text
        assert all(isinstance(json.loads(line), dict) for line in text.splitlines())


@pytest.mark.parametrize("name", PRINTING)
def test_the_current_folder_may_be_gone(to: Run, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    number = os.open(os.devnull, os.O_WRONLY)
    shown = to(number, PRINTING[name].replace("contracts/", f"{ROOT}/contracts/"))
    os.close(number)
    assert (shown.returncode, shown.stderr) == (0, "")


@pytest.mark.parametrize("line", ["generate people --count 3 --processes 2", "plan default default --people 2"])
def test_one_process_does_the_work_of_several_where_the_current_folder_is_gone(
    to: Run, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan_runs, "_FEW_CALLS", 0)
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    number = os.open(os.devnull, os.O_WRONLY)
    shown = to(number, line)
    os.close(number)
    assert (shown.returncode, shown.stderr) == (0, "")


# In a process, as a shell connects its streams.


def shell(line: str, **variables: str) -> subprocess.CompletedProcess[str]:
    given = {**environment(), **variables, "EMULATOR": shlex.join(command())}
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {line}"],
        capture_output=True, text=True, timeout=60, env=given, cwd=ROOT, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("line", "code", "err"),
    [
        ("$EMULATOR lint >/dev/full", 2, FULL),
        ("$EMULATOR generate people --count 2000 >/dev/full", 2, FULL),
        ("$EMULATOR generate people --count 2000 --processes 2 | head -1 >/dev/null", 0, ""),
        ("$EMULATOR map fixtures/audience-events.jsonl | head -1 >/dev/null", 0, ""),
        ("$EMULATOR lint >&-", 0, ""),
        ("$EMULATOR explain - <&-", 2, None),
        ("$EMULATOR lint nowhere.yaml 2>/dev/full", 2, ""),
        ("$EMULATOR lint nowhere.yaml 2>&-", 2, ""),
        ("$EMULATOR exec -- sh -c 'exit 7' <&- >&- 2>&-", 7, ""),
        ("$EMULATOR exec -- true 2>/dev/full", 0, ""),
    ],
)
def test_a_process_with_unusual_streams(line: str, code: int, err: str | None) -> None:
    shown = shell(line)
    assert shown.returncode == code, shown.stderr
    assert "bug" not in shown.stderr
    assert err is None or shown.stderr == err


def test_a_process_without_a_home_and_a_folder_for_temporary_files() -> None:
    shown = shell("unset HOME; $EMULATOR verify -k opted-in", TMPDIR="/nowhere", PYTHONIOENCODING="latin-1")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "1 passed" in shown.stdout


@pytest.mark.parametrize("stderr", ["/dev/full", "&-"])
def test_a_server_whose_log_cannot_be_written_answers(tmp_path: Path, stderr: str) -> None:
    served = subprocess.Popen(
        ["bash", "-c", f"exec {shlex.join(command('serve', '--port', '0', '--json'))} 2>{stderr}"],
        stdout=subprocess.PIPE, text=True, env=environment(), cwd=ROOT,
    )  # fmt: skip
    try:
        assert served.stdout is not None
        url = json.loads(served.stdout.readline())["url"]
        with httpx.Client(base_url=url, trust_env=False) as client:
            body = {"userId": "u1", "traits": {"email": "ada@example.com", "total_spent": 900}}
            assert client.post("/v1/identify", json=body, auth=("segment-local", "")).status_code == 200
            assert client.post("/v1/identify", json=body, auth=("wrong", "")).status_code == 400
            assert client.get("/_emulator/profiles").json()["profiles"][0]["email"] == "ada@example.com"
        served.send_signal(signal.SIGTERM)
        assert served.wait(timeout=READY_SECONDS) == 0
    finally:
        served.kill()
        served.wait()
        if served.stdout is not None:
            served.stdout.close()


@pytest.mark.parametrize("line", ["demo --people 10", "explain EVENTS", "verify -k opted-in", "exec -- true"])
def test_a_machine_whose_clock_is_before_1970(
    call: Run, files: dict[str, str], monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    monkeypatch.setattr(time, "time", lambda: -1.0)
    shown = call(*(files.get(word, word) for word in line.split()))
    assert shown.returncode == 2
    assert shown.stderr.startswith("error: clock: the machine's clock is before 1970. Found: ")
    assert shown.stderr.count("\n") == 1
