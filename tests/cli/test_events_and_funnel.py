"""`events` and `funnel` on a running server."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import httpx
import pytest

from emulator import Emulator
from emulator.cli.events import _pages
from emulator.harness.client import Control

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def url() -> Iterator[str]:
    with Emulator() as emulator:
        url = emulator.start()
        for user, traits in (("u1", {"email": "ada@example.com"}), ("u2", {})):
            body = {"userId": user, "messageId": f"m-{user}", "traits": {**traits, "total_spent": 900}}
            httpx.post(f"{url}/v1/identify", json=body, auth=("segment-local", ""), trust_env=False, timeout=60)
        yield url


def test_events_are_lines_or_json(call: Run, url: str) -> None:
    text = call("events", "--url", url, "--kinds", "call").stdout.splitlines()
    assert [line.partition(" ")[2] for line in text] == [
        "INFO call: identify of u1 (ada@example.com) from 'Website': accepted",
        "INFO call: identify of u2 from 'Website': accepted",
    ]
    printed = call("events", "--url", url, "--person", "u1", "--mask", "--json").stdout
    events = [json.loads(line) for line in printed.splitlines()]
    assert {event["kind"] for event in events} == {"call", "membership", "delivery", "request", "record"}
    assert "ada@example.com" not in printed
    later = call("events", "--url", url, "--json", "--after", events[-1]["cursor"], "--person", "u1").stdout
    assert later == ""


def test_a_cursor_of_another_emulator_is_reported(call: Run, url: str) -> None:
    shown = call("events", "--url", url, "--after", "00000000-1", "--kinds", "clock")
    assert (shown.returncode, shown.stdout) == (0, "")
    assert shown.stderr == "Events before this are missing: the cursor is of another process or sandbox.\n"


def test_following_goes_on_after_the_newest_event(url: str) -> None:
    with httpx.Client(base_url=url, trust_env=False, timeout=60) as client:
        pages = _pages(Control(client), None, {"kinds": "clock"}, follow=True)
        assert next(pages)["events"] == []
        client.post("/_emulator/clock/advance", json={"hours": 1})
        [page] = islice(pages, 1)
    assert [event["text"] for event in page["events"]] == ["clock advanced by 1h"]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["events", "--kinds", "cals"], "error: kinds: unknown kind of event 'cals'"),
        (["events", "--after", "x"], "error: after: not a cursor"),
        (["funnel", "--since", "yesterday"], "error: since: neither a time nor a duration"),
        (["funnel", "--destination", "Acme/😀"], "error: destination: unknown destination instance 'Acme/😀'"),
    ],
)
def test_a_wrong_argument_is_one_line(call: Run, url: str, arguments: list[str], error: str) -> None:
    shown = call(*arguments, "--url", url)
    assert shown.returncode == 2
    assert shown.stderr.startswith(error)
    assert shown.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["events", "funnel"])
def test_without_an_emulator_it_says_how_to_start_one(call: Run, command: str) -> None:
    shown = call(command, "--url", "http://127.0.0.1:9")
    assert shown.returncode == 2
    assert "Start it with: stackadapt-emulator serve" in shown.stderr


def test_the_funnel_is_a_table_or_json(call: Run, url: str) -> None:
    shown = call("funnel", "--url", url, "--destination", "StackAdapt Acme", "--since", "1h")
    assert shown.returncode == 0
    assert "Successfully received" in shown.stdout
    assert "PAYLOAD_VALIDATION_FAILED" in shown.stdout
    assert shown.stdout.endswith("Every call, event and delivery is accounted for.\n")
    found: dict[str, Any] = json.loads(call("funnel", "--url", url, "--json").stdout)
    assert found["steps"]["successfulDelivery"]["count"] == 2
    assert found["stackadapt"]["visible"]["count"] == 2
