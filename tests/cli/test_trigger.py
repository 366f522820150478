"""`trigger`: one event for one user of a running emulator, over HTTP."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from emulator import Emulator, load_workspace
from emulator.artefacts import fixture

Run = Callable[..., subprocess.CompletedProcess[str]]
Emulate = Callable[..., str]
ADA = ("--email", "ada@example.com")


@pytest.fixture
def trigger(call: Run, emulate: Emulate) -> Callable[..., subprocess.CompletedProcess[str]]:
    url = emulate()
    return lambda *arguments: call("trigger", *arguments, "--url", url)


def test_entering_and_leaving_are_printed_with_every_stage(trigger: Run) -> None:
    entered = trigger("audience-entered", "--audience", "vip_customers", *ADA, "--trait", "first_name=Ada")
    assert entered.returncode == 0, entered.stderr
    assert "track 'Audience Entered' to 'StackAdapt Acme': sent" in entered.stdout
    assert "in vip_customers (aud_local_vip)" in entered.stdout
    left = trigger("audience-exited", "--audience", "vip_customers", *ADA)
    assert "record (exit vip_customers): visible" in left.stdout
    assert "in no audience" in left.stdout
    gone = trigger("delete", *ADA)
    assert "deletion    at 'StackAdapt Acme': sent" in gone.stdout
    assert "none visible" in gone.stdout


def test_an_email_selects_the_user_who_has_it(call: Run, emulate: Emulate) -> None:
    url = emulate()
    body = {"userId": "u1", "traits": {"email": "ada@example.com", "total_spent": 900}}
    httpx.post(f"{url}/v1/identify", json=body, auth=("segment-local", ""), trust_env=False).raise_for_status()
    left = call("trigger", "audience-exited", "--audience", "vip_customers", *ADA, "--url", url).stdout
    assert left.startswith("ada@example.com (u1)")
    assert "in no audience" in left
    assert "Audience Entered" not in left
    gone = call("trigger", "delete", *ADA, "--url", url).stdout
    assert "none visible" in gone


def test_an_audience_without_a_destination_is_reported(call: Run, emulate: Emulate, tmp_path: Path) -> None:
    alone = fixture("workspace.yaml").read_text().replace("      - key: vip_customers", "      - key: others", 1)
    other = "  - {key: others, id: aud_others, name: Others, condition: {trait: a, operator: exists}}"
    path = tmp_path / "workspace.yaml"
    path.write_text(alone.replace("\ndestinations:", f"{other}\n\ndestinations:"))
    url = emulate(path)
    shown = call("trigger", "audience-entered", "--audience", "vip_customers", *ADA, "--url", url)
    assert "no destination instance is connected to this audience" in shown.stdout
    assert shown.returncode == 1


def test_an_identify_without_email_prints_why_no_profile_is_visible(trigger: Run) -> None:
    shown = trigger("identify", "--user-id", "u7", "--trait", "total_spent=900")
    assert shown.returncode == 1
    assert "The root value is missing the required field 'email'." in shown.stdout
    assert shown.stdout.endswith("  profile     none visible\n  result      not reached\n")


def test_traits_are_json_or_strings_and_the_timeline_can_be_json(trigger: Run) -> None:
    shown = trigger("identify", *ADA, "--trait", "total_spent=900", "--trait", "first_name=Ada", "--json")
    timeline = json.loads(shown.stdout)
    assert timeline["arrived"] is True
    assert timeline["result"] == "reached"
    assert [delivery["outcome"] for delivery in timeline["deliveries"]] == ["sent", "sent"]
    assert "payload" not in timeline["deliveries"][0]
    assert timeline["profiles"][0]["properties"]["first_name"] == "Ada"


def test_a_trait_that_is_not_json_is_a_string(trigger: Run) -> None:
    given = {"first_name": "NaN", "last_name": "-Infinity", "city": "[" * 2000}
    traits = [f"--trait={name}={value}" for name, value in given.items()]
    shown = trigger("identify", *ADA, "--trait", "total_spent=900", *traits, "--json")
    assert shown.returncode == 0, shown.stderr
    assert given.items() <= json.loads(shown.stdout)["profiles"][0]["properties"].items()


def test_a_sandbox_is_chosen_by_name(call: Run, emulate: Emulate) -> None:
    url = emulate()
    httpx.post(f"{url}/_emulator/sandboxes", json={"name": "checkout"}, trust_env=False).raise_for_status()
    shown = call("trigger", "identify", *ADA, "--trait", "total_spent=900", "--sandbox", "checkout", "--url", url)
    assert "visible since" in shown.stdout
    assert httpx.get(f"{url}/_emulator/profiles", trust_env=False).json() == {"profiles": []}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("audience-entered", "--audience", "vip_customer", *ADA), "Did you mean 'vip_customers'?"),
        (("identify", "--trait", "total_spent=900"), "a user is required. Allowed: --email, --user-id"),
        (("identify", *ADA, "--trait", 'x="\\ud800"'), "--trait: this value has no JSON form"),
        (("identify", *ADA, "--trait", "x=1e999"), "--trait: this value has no JSON form"),
        (("identify", *ADA, "--trait", "total_spent"), "--trait: invalid trait. Found: 'total_spent'"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(trigger: Run, arguments: tuple[str, ...], message: str) -> None:
    shown = trigger(*arguments)
    assert shown.returncode == 2
    assert message in shown.stderr
    assert len(shown.stderr.splitlines()) == 1


def test_a_missing_emulator_is_one_line_with_the_command_to_start_it(call: Run) -> None:
    shown = call("trigger", "identify", *ADA, "--url", "http://127.0.0.1:9")
    assert shown.returncode == 2
    assert "Start it with: stackadapt-emulator serve" in shown.stderr


ENTER = ("audience-entered", "--audience", "vip_customers", *ADA)
EXIT = ("audience-exited", "--audience", "vip_customers", *ADA)
VIP = ("identify", *ADA, "--trait", "total_spent=900")
FAULT = {"fault": "status", "status": 400, "operation": "upsertProfiles"}
# The outcome of an event after others, with a fault.
RESULTS: list[tuple[tuple[str, ...], list[tuple[str, ...]], dict[str, Any] | None, str]] = [
    (ENTER, [], None, "reached"),
    (EXIT, [ENTER], None, "reached"),
    (EXIT, [], None, "reached"),
    (VIP, [], None, "reached"),
    (("identify", *ADA, "--trait", "total_spent=1"), [], None, "notReached"),
    (("identify", *ADA, "--trait", "total_spent=1"), [VIP], None, "reached"),
    (("delete", *ADA), [ENTER], None, "reached"),
    (("identify", "--user-id", "u1", "--trait", "total_spent=900"), [], None, "notReached"),
    (ENTER, [], FAULT, "notReached"),
    (VIP, [ENTER], FAULT, "reached"),
    (ENTER, [ENTER], FAULT, "notReached"),
    (ENTER, [], {**FAULT, "status": 503}, "notReached"),
    (("delete", *ADA), [ENTER], {**FAULT, "operation": "deleteProfilesWithExternalIds"}, "notReached"),
]


@pytest.mark.parametrize(("event", "earlier", "fault", "result"), RESULTS)
def test_the_exit_code_says_whether_the_outcome_was_reached(
    call: Run,
    event: tuple[str, ...],
    earlier: list[tuple[str, ...]],
    fault: dict[str, Any] | None,
    result: str,
) -> None:
    with Emulator() as emulator:
        url = emulator.start()
        for each in earlier:
            call("trigger", *each, "--url", url)
        if fault:
            emulator.client.post("/_emulator/faults", json=fault)
        shown = call("trigger", *event, "--url", url, "--json")
    assert (json.loads(shown.stdout)["result"], shown.returncode) == (result, int(result == "notReached"))


@pytest.mark.parametrize("event", [ENTER, EXIT, VIP])
def test_an_outstanding_latency_is_printed(call: Run, event: tuple[str, ...]) -> None:
    with Emulator(load_workspace().with_options(latency="4h")) as emulator:
        url = emulator.start()
        if event == EXIT:
            call("trigger", *ENTER, "--url", url)
        shown = call("trigger", *event, "--url", url)
    assert shown.returncode == 0
    assert shown.stdout.endswith(
        "  result      only the latency is outstanding: stackadapt-emulator clock advance 4h\n"
    )


def test_the_exit_codes_are_in_the_help(call: Run) -> None:
    assert "1 when it was not reached" in call("trigger", "--help").stdout
