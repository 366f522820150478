"""`why --apply`, `--send-again` and `--as`: in every situation of the table, the change that is proposed is applied."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from emulator import Emulator
from emulator.harness.scenarios import FAILED, PASSED, play, read_scenarios, separate_emulators
from tests.harness.scenarios.conftest import new_emulator
from tests.harness.why.situations import ADA, Situation, ada
from tests.harness.why.stops import STOPS

# What only the sender can do.
REFUSED = {"mapping"}


def post(emulator: Emulator, path: str, situation: Situation) -> Any:
    return emulator.client.post(f"/_emulator/why/{path}", json=dict(situation.question))


def case(emulator: Emulator, form: str, **who: str) -> str:
    answer = emulator.client.get("/_emulator/why/case", query_string={"as": form, **who})
    assert answer.status_code == 200, answer.text
    return str(answer.json["text"])


@pytest.mark.parametrize(
    ("situation", "stage", "reason", "kinds"), [each[1:] for each in STOPS], ids=[each[0] for each in STOPS]
)
def test_the_change_that_is_proposed_is_applied(
    situation: Situation, stage: str, reason: str, kinds: list[str]
) -> None:
    with situation.played() as emulator:
        answer = post(emulator, "apply", situation)
        if REFUSED & {*kinds} or not kinds:
            assert answer.status_code == 400
            assert answer.json["hint" if kinds else "allowed"]
            return
        assert answer.status_code == 200, answer.text
        assert [change["kind"] for change in answer.json["applied"]] == kinds
        emulator.client.post("/_emulator/clock/advance", json={"hours": 9})
        changed = situation
        for change in answer.json["applied"]:
            changed = changed.changed(change)
        assert changed.ask(emulator)["arrived"], changed.ask(emulator)["text"]


@pytest.mark.parametrize("situation", [Situation(), Situation(calls=(ada(email=None),))], ids=["arrived", "not"])
def test_sending_again_sends_the_same_once_more(situation: Situation) -> None:
    with situation.played() as emulator:
        before = emulator.segment.counts()["events"]
        assert post(emulator, "send-again", situation).json == {"calls": 1, "records": 0, "audiences": 1}
        assert emulator.segment.counts()["events"] == 2 * before
        calls = emulator.client.get("/_emulator/calls").json["calls"]
        assert len({each["messageId"] for each in calls}) == 2


def test_records_of_another_client_are_sent_again() -> None:
    situation = Situation(calls=(), records=({"email": "ada@example.com"},), question={"email": "ada@example.com"})
    with situation.played() as emulator:
        assert post(emulator, "send-again", situation).json == {"calls": 0, "records": 1, "audiences": 0}
        assert len(emulator.stackadapt.records()) == 2


@pytest.mark.parametrize("path", ["apply", "send-again"])
def test_an_unknown_person_is_not_sent(path: str) -> None:
    situation = Situation(calls=(), question={"userId": "u9"})
    with situation.played() as emulator:
        assert post(emulator, path, situation).status_code in (400, 404)
        assert emulator.client.get("/_emulator/calls").json["calls"] == []


CASES = {
    "a person who arrives": (Situation(), PASSED),
    "a person without an email": (Situation(calls=(ada(email=None),)), FAILED),
    "a record of another client": (
        Situation(calls=(), records=({"email": "ada@example.com"},), question={"email": "ada@example.com"}),
        PASSED,
    ),
}


@pytest.mark.parametrize(("situation", "outcome"), CASES.values(), ids=CASES)
def test_the_case_is_a_scenario_that_passes_when_the_person_arrives(
    situation: Situation, outcome: str, tmp_path: Path
) -> None:
    with situation.played() as emulator:
        text = case(emulator, "scenario", **situation.question)
    path = tmp_path / "case.yaml"
    path.write_text(text, encoding="utf-8")
    (scenario,) = read_scenarios([path])
    assert play(scenario, separate_emulators(new_emulator)).outcome == outcome


@pytest.mark.parametrize(("situation", "outcome"), CASES.values(), ids=CASES)
def test_the_case_is_a_test_that_passes_when_the_person_arrives(
    situation: Situation, outcome: str, tmp_path: Path
) -> None:
    with situation.played() as emulator:
        text = case(emulator, "pytest", **situation.question)
    path = tmp_path / "test_case.py"
    path.write_text(text, encoding="utf-8")
    run = subprocess.run([sys.executable, "-m", "pytest", "-q", str(path), "-p", "no:cacheprovider"], check=False)
    assert (run.returncode == 0) == (outcome == PASSED)


def test_the_case_is_commands() -> None:
    with Situation(calls=(ADA,)).played() as emulator:
        text = case(emulator, "curl", userId="u1")
        lines = text.splitlines()
        assert [re.findall(r"http://[^ ']*", line)[-1].partition("localhost")[2] for line in lines] == [
            "/v1/identify",
            "/_emulator/clock/advance",
            "/_emulator/why?email=ada%40example.com",
        ]
        assert '"email": "ada@example.com"' in lines[0]


def test_the_case_of_a_person_has_what_conditions_count() -> None:
    track = {"type": "track", "userId": "u1", "event": "Order Completed", "properties": {"total": 5}}
    with Situation(calls=(ADA, track)).played() as emulator:
        document = yaml.safe_load(case(emulator, "scenario", userId="u1"))
        person = document["given"]["people"]["person"]
        assert (person["userId"], person["email"], person["traits"]["total_spent"]) == ("u1", "ada@example.com", 900)
        assert {"identify": "person"} in document["steps"][0]["when"]
