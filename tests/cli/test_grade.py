"""`grade` as a user meets it: a naive and a careful client, and commands that cannot be graded."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from emulator.artefacts import contract_json, fixture
from emulator.harness.grade import NAMES, FaultyRun, points, repeat_checks
from emulator.schemas import mistakes

# The command records URLs and headers in its own process.
pytestmark = pytest.mark.one_process

Run = Callable[..., subprocess.CompletedProcess[str]]
NAIVE, CAREFUL = (str(fixture(f"{name}_client.py")) for name in ("naive", "careful"))
# With the same random pauses in each test, which differ from run to run.
# Only where a response does not come the client may give up early: a busy machine delays others.
SEEDED = """import os, random, runpy, sys
random.seed(os.environ["GRADE_RUN"])
if os.environ["GRADE_RUN"] == "no-response":
    os.environ["TIMEOUT_SECONDS"] = "0.5"
runpy.run_path(sys.argv[1])"""


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIRST_PAUSE_SECONDS", "0.06")


def graded(call: Run, client: str, *options: str) -> tuple[int, dict[str, Any]]:
    done = call("grade", "--json", *options, "--", sys.executable, "-c", SEEDED, client)
    assert done.stdout, done.stderr
    grade: dict[str, Any] = json.loads(done.stdout)
    Draft202012Validator(contract_json("grade.schema.json")).validate(grade)
    return done.returncode, grade


@pytest.mark.parametrize(("client", "result", "score", "code"), [(NAIVE, "failed", 0, 1), (CAREFUL, "passed", 100, 0)])
def test_a_naive_and_a_careful_client_differ_on_every_point(
    call: Run, client: str, result: str, score: int, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if client == NAIVE:
        # It waits for the late response whatever its delay is.
        late = FaultyRun(name="no-response", faults=[{"fault": "latency", "milliseconds": 300, "times": 1}])
        monkeypatch.setattr(points, "RUNS", {**points.RUNS, late.name: late})
        monkeypatch.setattr(repeat_checks, "LONGEST_SECONDS", 0.3)
        # On a busy machine repeats without a pause arrive late; the limit itself has a test of its own.
        monkeypatch.setattr(repeat_checks, "_NO_PAUSE_SECONDS", 5)
    exit_code, grade = graded(call, client, "--fail-under", "90")
    results = {point["name"]: point["result"] for point in grade["points"]}
    assert results == dict.fromkeys(NAMES, result), json.dumps(grade, indent=1)
    assert (grade["score"], exit_code) == (score, code)


def python(code: str) -> tuple[str, ...]:
    return ("--", sys.executable, "-c", code)


SEND = """
import csv, json, os, sys, urllib.request
people = list(csv.DictReader(open(os.environ["GRADE_PEOPLE_FILE"])))
given = '{advertiserId: 1001, externalProvider: "segment_io", profiles: $p}'
document = "mutation ($p: JSON!) { upsertProfiles(input: " + given + ") { userErrors { message } } }"
body = {"query": document, "variables": {"p": [{"email": people[0]["email"]}]}}
headers = {"authorization": "Bearer " + os.environ["STACKADAPT_TOKEN"], "content-type": "application/json"}
request = urllib.request.Request(os.environ["STACKADAPT_GRAPHQL_URL"], json.dumps(body).encode(), headers)
json.load(urllib.request.urlopen(request))
"""


def test_people_of_a_file_in_a_report_for_a_pull_request(call: Run, tmp_path: Path) -> None:
    people, report = tmp_path / "people.csv", tmp_path / "grade.md"
    with people.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("email", "consent", "city"), ("eve@example.com", "no", "Rome")])
    options = ("--people", str(people), "--only", "consent,paging", "--format", "markdown", "-o", str(report))
    shown = call("grade", *options, *python(SEND))
    assert (shown.returncode, shown.stdout, shown.stderr) == (0, "", "")
    text = report.read_text(encoding="utf-8")
    assert text.startswith("### Grade of the client: score 0: 0 passed, 1 failed, 1 not seen\n")
    assert "1 person without consent, such as e…&#64;example.com" in text


def test_a_score_that_does_not_exist_is_below_any(call: Run) -> None:
    shown = call("grade", "--only", "paging", "--fail-under", "1", *python(SEND))
    assert (shown.returncode, shown.stderr) == (1, "error: no point was seen, which is below 1\n")


ENDING = """
import os, pathlib, signal, sys
pathlib.Path({path!r}).write_text(str(os.getpid()))
os.kill(os.getppid(), signal.SIGTERM)
signal.pause()
"""


def test_a_signal_ends_the_command_as_well(call: Run, tmp_path: Path) -> None:
    file = tmp_path / "pid"
    before = signal.getsignal(signal.SIGTERM)
    assert call("grade", *python(ENDING.format(path=str(file)))).returncode == 128 + signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) == before
    with pytest.raises(ProcessLookupError):
        os.kill(int(file.read_text()), 0)


@pytest.mark.parametrize("selected", ["userErrors { message }", "why: userErrors { message }", "clientMutationId"])
def test_user_errors_that_a_client_does_not_read_are_seen(call: Run, selected: str) -> None:
    shown = call("grade", "--only", "user-errors", *python(SEND.replace("userErrors { message }", selected)))
    assert "score 0: 0 passed, 1 failed, 0 not seen" in shown.stdout, shown.stderr


# Begins to wait for input that never comes, keeps the output open, and says so.
LEFT_BEHIND = """
import os, subprocess
read, write = os.pipe()
left = subprocess.Popen(["cat"], stdin=read, pass_fds=[write], **{options!r})
os.write(1, bytes(range(256)))
"""


@pytest.mark.parametrize("options", [{}, {"start_new_session": True}])
def test_a_process_that_the_command_leaves_behind_keeps_no_run_waiting(
    call: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, bool]
) -> None:
    # Each run would leave one behind.
    monkeypatch.setattr(points, "RUNS", {points.PLAIN: points.RUNS[points.PLAIN]})
    file = tmp_path / "pid"
    leave = f"{LEFT_BEHIND.format(options=options)}\nopen({str(file)!r}, 'w').write(str(left.pid))"
    try:
        shown = call("grade", "--only", "token-leak", *python(SEND + leave))
    finally:
        with suppress(ProcessLookupError):
            os.kill(int(file.read_text()), signal.SIGKILL)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "score 100: 1 passed, 0 failed, 0 not seen" in shown.stdout


def test_the_points_are_listed(call: Run) -> None:
    assert [line.split()[0] for line in call("grade", "--list").stdout.splitlines()] == [*NAMES]
    listed = json.loads(call("grade", "--list", "--json").stdout)
    assert mistakes(listed, "grade-points.schema.json") == []
    assert [point["name"] for point in listed["points"]] == [*NAMES]
    assert mistakes({"points": [{"name": "jitter"}]}, "grade-points.schema.json") != []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Missing the command to run, after '--'."),
        (("--only", "retry-42", "--", "true"), "Did you mean 'retry-429'?"),
        (("--only", ",", "--", "true"), "--only: there is no point"),
        (("--json", "--format", "text", "--", "true"), "--format cannot be combined with --json."),
        (("--list", "--timeout", "5"), "--timeout cannot be combined with --list, which runs nothing."),
        (("--list", "--", "true"), "COMMAND cannot be combined with --list, which runs nothing."),
        (("--people", "none.csv", "--", "true"), "cannot read none.csv: no such file"),
        (("-o", "none/grade.md", "--", "not-a-command"), "cannot write none/grade.md: no such folder"),
        (("--timeout", "0", "--", "true"), "'--timeout'"),
        (("--timeout", "nan", "--", "true"), "'nan' is not a finite number."),
        (("--fail-under", "101", "--", "true"), "'--fail-under'"),
        (("--api-version", "2026-07", "--", "true"), "2026-07"),
        (("--", "not-a-command"), "not-a-command: command not found"),
        (("--", "/"), "/: cannot run: "),
        (("--", "true"), "run without a fault: the command sent no request to StackAdapt. It must use the variables"),
        (("--timeout", "0.1", "--", "sleep", "60"), "the command did not end within 0.1 s"),
        (
            python("import os, sys; sys.exit('bad token ' + os.environ['STACKADAPT_TOKEN'])"),
            "run without a fault: the command exited with code 1 although nothing failed. Found: 'bad token ***'.",
        ),
        (python("import os; os.kill(os.getpid(), 15)"), "exited with code 143 although nothing failed"),
    ],
)
def test_what_cannot_be_graded_is_said(call: Run, arguments: tuple[str, ...], message: str) -> None:
    shown = call("grade", *arguments)
    assert shown.returncode == 2
    assert message in shown.stderr
    assert shown.stdout == ""
