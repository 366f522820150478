"""The commands `replay`, `map`, `explain` and `lint`."""

from __future__ import annotations

import gzip
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from emulator.artefacts import fixture
from tests.conftest import ROOT, command, environment

Run = Callable[..., subprocess.CompletedProcess[str]]

PERSONAS = {
    "computation_class": "audience",
    "computation_id": "aud_local_vip",
    "computation_key": "vip_customers",
    "namespace": "spa_local",
    "space_id": "spa_local",
}
ENTERED = {
    "type": "track",
    "messageId": "m1",
    "userId": "u1",
    "event": "Audience Entered",
    "properties": {"audience_key": "vip_customers", "vip_customers": True, "first_name": "Ada"},
    "context": {"personas": PERSONAS, "traits": {"email": "ada@example.com"}},
}
NO_EMAIL = {**ENTERED, "messageId": "m2", "context": {"personas": PERSONAS}}
PAGE = {"type": "page", "messageId": "m3", "userId": "u1"}
CASES: list[dict[str, Any]] = [
    {
        "id": "t1",
        "kind": "transform",
        "mapping": {"a": {"@path": "$.x"}},
        "payload": {"x": 1},
        "expected": {"output": {"a": 1}},
    },
    {"id": "f1", "kind": "fql", "fql": 'type = "track"', "event": {"type": "track"}, "expected": {"match": True}},
]


@pytest.fixture
def events(tmp_path: Path) -> Path:
    path = tmp_path / "events.jsonl"
    path.write_text("\n".join(json.dumps(event) for event in (ENTERED, NO_EMAIL, PAGE)))
    return path


@pytest.fixture
def event(tmp_path: Path) -> Path:
    path = tmp_path / "event.json"
    path.write_text(json.dumps(ENTERED))
    return path


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    path = tmp_path / "cases.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(json.dumps(case) for case in CASES).encode()))
    return path


def test_replay_prints_one_object_per_case(call: Run, cases: Path) -> None:
    shown = call("replay", str(cases))
    assert shown.returncode == 0
    assert [json.loads(line) for line in shown.stdout.splitlines()] == [
        {"id": "t1", "output": {"a": 1}},
        {"id": "f1", "match": True},
    ]


def test_replay_compares_and_prints_a_summary(call: Run, cases: Path) -> None:
    shown = call("replay", "--compare", str(cases))
    assert shown.returncode == 0
    assert shown.stdout.rstrip().endswith("2 of 2 equal")


def test_replay_shows_the_first_difference_side_by_side(call: Run, tmp_path: Path) -> None:
    path = tmp_path / "wrong.jsonl"
    path.write_text(json.dumps({**CASES[0], "expected": {"output": {"a": 2}}}))
    shown = call("replay", "--compare", str(path))
    assert shown.returncode == 1
    assert "t1: output" in shown.stdout
    assert 'expected  {"a":2}' in shown.stdout
    assert 'found     {"a":1}' in shown.stdout
    assert shown.stdout.rstrip().endswith("0 of 1 equal")


def test_replay_prints_the_line_of_an_invalid_case(call: Run, tmp_path: Path) -> None:
    path = tmp_path / "broken.jsonl"
    path.write_text(f"{json.dumps(CASES[0])}\nnot json\n")
    shown = call("replay", str(path))
    assert shown.returncode == 2
    assert shown.stderr.startswith(f"error: {path}:2: ")


def test_map_prints_a_document_for_each_ready_event(call: Run, events: Path) -> None:
    shown = call("map", str(events))
    assert shown.returncode == 0
    assert "# m1 → Sync Audience: ready" in shown.stdout
    assert "# m2 → Sync Audience: invalid: The root value is missing the required field 'email'." in shown.stdout
    assert "# m3 → Sync Audience: not triggered: not subscribed" in shown.stdout
    assert shown.stdout.count("upsertProfiles(") == 1


def test_map_sends_a_batch_in_one_request(call: Run, events: Path) -> None:
    shown = call("map", "--batch", "--json", str(events))
    preview = json.loads(shown.stdout)
    assert [event["status"] for event in preview["events"]] == ["ready", "invalid", "not triggered"]
    assert json.loads(preview["body"]) == {"query": preview["document"]}
    assert preview["document"].startswith("mutation {\n      upsertProfileMapping(")


def test_map_prints_the_line_of_invalid_json(call: Run, tmp_path: Path) -> None:
    path = tmp_path / "broken.jsonl"
    path.write_text('{"type":"track"}\n{"type":\n')
    shown = call("map", str(path))
    assert shown.returncode == 2
    assert f"{path}, line 2: this is not JSON" in shown.stderr


def test_map_suggests_the_nearest_destination(call: Run, events: Path) -> None:
    shown = call("map", "--destination", "StackAdapt Acm", str(events))
    assert shown.returncode == 2
    assert "Did you mean 'StackAdapt Acme'?" in shown.stderr


def test_explain_follows_an_event_to_its_profile(call: Run, event: Path) -> None:
    shown = call("explain", str(event))
    assert shown.returncode == 0, shown.stderr
    for part in (
        'no   type = "identify"  (found "track")',
        'yes  type = "track"  (found "track")',
        'email = "ada@example.com"',
        "else: @path $.context.traits.email",
        "Validation  passed",
        "upsertProfileMapping(",
        "record 1: visible, since ",
    ):
        assert part in shown.stdout


def test_explain_prints_where_an_event_stops(call: Run, tmp_path: Path) -> None:
    path = tmp_path / "event.json"
    path.write_text(json.dumps(NO_EMAIL))
    shown = call("explain", str(path))
    assert shown.stdout.endswith(
        "Stopped at the validation: The root value is missing the required field 'email'.\n"
        "The event has no email: send one with the call, or turn on the email identifier of the audience's connection "
        "(email: true).\n"
    )
    path.write_text(json.dumps({**NO_EMAIL, "traits": {"mail": "ada@example.com"}}))
    assert call("explain", str(path)).stdout.endswith(
        'The event has the email "ada@example.com" at $.traits.mail. The mapping does not read it: '
        'map email to {"@path": "$.traits.mail"}.\n'
    )
    path.write_text(json.dumps(PAGE))
    assert call("explain", str(path)).stdout.endswith(
        "Stopped at the trigger: not subscribed\n"
        'Not met: type = "identify" (found "page") or type = "track" (found "page"). '
        "No condition lets page events pass. "
        'Add `type = "page"`. Corrected trigger: `type = "identify" or type = "track" or type = "page"`.\n'
    )


def test_explain_corrects_a_trigger_that_cannot_be_parsed(call: Run, event: Path, tmp_path: Path) -> None:
    workspace = yaml.safe_load(fixture("workspace.yaml").read_text())
    workspace["destinations"][0]["subscriptions"][0]["trigger"] = 'type = "identify" || type = "track"'
    path = tmp_path / "workspace.yaml"
    path.write_text(yaml.safe_dump(workspace))
    assert call("explain", "--workspace", str(path), str(event)).stdout.endswith(
        "Stopped at the trigger: the trigger cannot be parsed\n"
        "The engine does not read `||`: only `and` and `or` join conditions. "
        "Segment reports: Invalid subscription : Cannot read properties of undefined (reading 'type'). "
        'Write `or` instead of `||`. Corrected trigger: `type = "identify" or type = "track"`.\n'
    )


def test_explain_tries_another_trigger_at_one_subscription(call: Run, event: Path) -> None:
    shown = call("explain", "--subscription", "Sync Audience", "--trigger", 'type = "identify"', str(event))
    assert 'no   type = "identify"  (found "track")' in shown.stdout
    unknown = call("explain", "--subscription", "Sync Audiences", str(event))
    assert unknown.returncode == 2
    assert "Did you mean 'Sync Audience'?" in unknown.stderr


def test_explain_hints_that_a_call_of_an_app_is_not_an_audience_event(call: Run, tmp_path: Path) -> None:
    path = tmp_path / "event.json"
    own = {**ENTERED, "context": {}}
    path.write_text(json.dumps(own))
    shown = call("explain", str(path)).stdout
    assert "missing the required field 'segment_computation_class'" in shown
    assert "This is a call of an app. Audience events, which name the audience" in shown
    assert json.loads(call("explain", "--json", str(path)).stdout)["explanations"][0]["hint"] in shown
    path.write_text(json.dumps({**own, "context": {"personas": {}}}))
    assert "This is a call of an app" not in call("explain", str(path)).stdout


def test_explain_prints_the_syntax_error_of_a_quote(call: Run, tmp_path: Path) -> None:
    path = tmp_path / "event.json"
    path.write_text(json.dumps({**ENTERED, "properties": {**ENTERED["properties"], "first_name": 'A "q"'}}))
    assert "Syntax Error" in call("explain", str(path)).stdout


FILTERS = [
    {
        "title": "No names",
        "if": "contains(context.traits.email, '@example.com')",
        "actions": [{"type": "DROP_PROPERTIES", "fields": {"properties": ["first_name"]}}],
    },
    {"title": "No exits", "if": "event = 'Audience Exited'", "actions": [{"type": "DROP"}]},
]


def filtered_workspace(tmp_path: Path, **changes: Any) -> str:
    document = yaml.safe_load(fixture("workspace.yaml").read_text())
    document["destinations"][0].update(filters=FILTERS, **changes)
    path = tmp_path / "workspace.json"
    path.write_text(json.dumps(document))
    return str(path)


def test_explain_shows_what_each_filter_does_and_maps_what_is_left(call: Run, event: Path, tmp_path: Path) -> None:
    path = filtered_workspace(tmp_path)
    event.write_text(event.read_text().replace('"Ada"', '"Countess"'))
    shown = call("explain", "--workspace", path, str(event)).stdout
    assert "DROP_PROPERTIES: the filter 'No names' (destinations[0].filters[0]) removes properties.first_name" in shown
    assert "DROP: the filter 'No exits' (destinations[0].filters[1]) does not match" in shown
    assert "Countess" not in shown
    assert "record 1: visible" in shown


def test_explain_stops_at_a_filter_that_drops_the_event(call: Run, event: Path, tmp_path: Path) -> None:
    event.write_text(json.dumps({**ENTERED, "event": "Audience Exited"}))
    path = filtered_workspace(tmp_path)
    assert call("explain", "--workspace", path, str(event)).stdout.endswith(
        "Filtered at destination (FILTERED_BY_RULES): the filter 'No exits' (destinations[0].filters[1]) drops it\n"
    )
    [found] = json.loads(call("explain", "--json", "--workspace", path, str(event)).stdout)["explanations"]
    assert (found["stopped"], found["reason"], found["fields"]) == ("filter", "FILTERED_BY_RULES", [])
    assert [(step["action"], step["dropped"]) for step in found["filters"]] == [("DROP", True)]


def test_explain_checks_consent_and_the_integrations_object_of_a_call(call: Run, event: Path, tmp_path: Path) -> None:
    path = filtered_workspace(tmp_path, source="Website", consent={"categories": ["ads"]})
    call_of_app = {"type": "track", "event": "E", "userId": "u1", "integrations": {"All": False}}
    event.write_text(json.dumps(call_of_app))
    assert "(FILTERED_BY_INTEGRATIONS_OBJECT): the call's" in call("explain", "--workspace", path, str(event)).stdout
    consent = {"consent": {"categoryPreferences": {"ads": False}}}
    event.write_text(json.dumps({**call_of_app, "context": consent}))
    assert "(FILTERED_BY_END_USER_CONSENT): the call has no" in call("explain", "--workspace", path, str(event)).stdout


def test_map_leaves_out_what_a_filter_drops(call: Run, events: Path, tmp_path: Path) -> None:
    exited = {**ENTERED, "messageId": "m4", "event": "Audience Exited"}
    events.write_text("\n".join(json.dumps(each) for each in (exited, ENTERED)))
    path = filtered_workspace(tmp_path)
    [shown] = map(json.loads, call("map", "--batch", "--json", "--workspace", path, str(events)).stdout.splitlines())
    assert [(each["event"], each["status"]) for each in shown["events"]] == [("m4", "filtered"), ("m1", "ready")]
    assert "Ada" not in shown["body"]
    events.write_text(json.dumps(exited))
    assert "filtered: the filter 'No exits'" in call("map", "--workspace", path, str(events)).stdout


def test_explain_prints_when_a_profile_will_be_visible(call: Run, event: Path, tmp_path: Path) -> None:
    workspace = yaml.safe_load(fixture("workspace.yaml").read_text())
    workspace["ingestion"]["latency"] = "4h"
    path = tmp_path / "workspace.yaml"
    path.write_text(yaml.safe_dump(workspace))
    assert "record 1: queued, due " in call("explain", "--workspace", str(path), str(event)).stdout


def test_explain_as_json_has_every_step_and_no_token(call: Run, event: Path) -> None:
    shown = call("explain", "--json", str(event))
    [explanation] = json.loads(shown.stdout)["explanations"]
    assert explanation["trigger"]["conditions"]["passed"] is True
    assert {field["field"] for field in explanation["fields"]} >= {"email", "user_id", "standard_traits"}
    assert explanation["request"]["headers"]["authorization"] == "Bearer ***"
    assert explanation["response"]["status"] == 200
    assert explanation["records"][0]["outcome"] == "visible"
    assert "sa-local-write" not in shown.stdout


@pytest.mark.parametrize("command", ["map", "explain"])
def test_a_token_illegal_in_a_header_is_not_printed(call: Run, event: Path, tmp_path: Path, command: str) -> None:
    workspace = yaml.safe_load(fixture("workspace.yaml").read_text())
    workspace["destinations"][0]["settings"]["apiKey"] = "se\ncret"
    path = tmp_path / "workspace.yaml"
    path.write_text(yaml.safe_dump(workspace))
    shown = call(command, "--workspace", str(path), str(event))
    assert "Bearer *** is not a legal HTTP header value" in shown.stdout
    assert "cret" not in shown.stdout


@pytest.mark.parametrize("command", ["map", "explain"])
def test_an_unknown_generation_is_reported_with_file_and_destination(
    call: Run, event: Path, tmp_path: Path, command: str
) -> None:
    workspace = yaml.safe_load(fixture("workspace.yaml").read_text())
    workspace["destinations"][0]["generation"] = "3.51.0"
    path = tmp_path / "workspace.yaml"
    path.write_text(yaml.safe_dump(workspace))
    shown = call(command, "--workspace", str(path), str(event))
    assert shown.returncode == 2
    assert shown.stderr.startswith(
        f"error: {path}: destination 'StackAdapt Acme': generation: unknown generation '3.51.0'"
    )
    assert shown.stderr.endswith("Did you mean '3.517.0'?\n")


def test_explain_requires_one_event(call: Run, events: Path) -> None:
    shown = call("explain", str(events))
    assert (shown.returncode, "3 events" in shown.stderr) == (2, True)


def test_lint_passes_the_default_workspace(call: Run) -> None:
    shown = call("lint")
    assert shown.returncode == 0
    assert shown.stdout == (
        "D011 note audiences[0].condition\n"
        "  The condition of the audience 'vip_customers' does not require an email.\n"
        "  Why: People without one enter it too: the mapping or StackAdapt rejects them, and no profile appears.\n"
        "  Fix: Combine it with {trait: email, operator: exists} under all.\n"
        "\n"
        "M007 note destinations[0].subscriptions[0].mapping.standard_traits\n"
        "  Free text is sent unescaped: first_name, last_name, address, city.\n"
        "  Why: One double quote in a value makes the whole batch a GraphQL syntax error, a backslash or line break "
        "corrupts the profiles in it, and Segment reports both as delivered.\n"
        '  Fix: Remove double quotes with @replace: {"@replace": {"pattern": "\\"", "replacement": "", "value": …}}.\n'
        "\n"
        "0 errors, 0 warnings, 2 notes\n"
    )
    notes = json.loads(call("lint", "--json").stdout)["findings"]
    assert [(note["code"], note["severity"]) for note in notes] == [("D011", "note"), ("M007", "note")]


@pytest.mark.parametrize(
    ("text", "code", "expected"),
    [
        (fixture("workspace.yaml").read_bytes(), 0, "0 errors, 0 warnings, 2 notes\n"),
        (b"advertisers: [", 2, "error: standard input, line "),
        (b"tokens: []", 2, "error: standard input: (top level): the key 'advertisers' is missing."),
        (b"\xff", 2, "error: cannot read standard input: it is not UTF-8 text"),
    ],
)
def test_lint_reads_a_workspace_from_standard_input(text: bytes, code: int, expected: str) -> None:
    shown = subprocess.run(
        command("lint", "-"), input=text, capture_output=True, env=environment(), cwd=ROOT, check=False
    )
    assert shown.returncode == code
    assert expected in (shown.stdout + shown.stderr).decode()


def test_lint_reports_the_trigger_of_the_2024_page(call: Run, tmp_path: Path) -> None:
    workspace = yaml.safe_load(fixture("workspace.yaml").read_text())
    workspace["destinations"][0]["subscriptions"][0]["trigger"] = (
        '(type = "track" or type = "identify") and (event = "Audience Entered" or event = "Audience Exited")'
    )
    path = tmp_path / "workspace.yaml"
    path.write_text(yaml.safe_dump(workspace))
    shown = call("lint", str(path))
    assert shown.returncode == 1
    assert "T002 error destinations[0].subscriptions[0].trigger" in shown.stdout
    assert "This trigger never matches identify events." in shown.stdout
    findings = json.loads(call("lint", "--json", str(path)).stdout)["findings"]
    assert {"code", "severity", "place", "message", "why", "fix", "repair"} == set(findings[0])
