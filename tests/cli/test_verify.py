"""The `verify` command."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from emulator import Emulator, load_workspace
from emulator.artefacts import fixture
from emulator.harness.scenarios import built_in
from emulator.mapping import generations, load_definition
from emulator.server.listener import Listener

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

Run = Callable[..., subprocess.CompletedProcess[str]]
Emulate = Callable[..., str]
APPEARS = built_in() / "profiles" / "appears.yaml"


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    path = tmp_path / "broken" / "scenario.yaml"
    path.parent.mkdir()
    path.write_text(APPEARS.read_text(encoding="utf-8").replace("OPTED_IN", "PROSPECT"), encoding="utf-8")
    return path


@pytest.fixture
def graphql_only() -> Iterator[str]:
    """An endpoint that has GraphQL only."""
    with Emulator() as emulator:

        def app(environ: WSGIEnvironment, start_response: StartResponse) -> object:
            if environ["PATH_INFO"] == "/graphql":
                return emulator.app(environ, start_response)
            start_response("404 Not Found", [("Content-Type", "text/html")])
            return [b"<html>"]

        listener = Listener(app)
        listener.start()
        yield listener.url
        listener.stop()


def test_the_built_in_scenarios_pass_and_the_matrix_is_printed(call: Run, tmp_path: Path) -> None:
    shown = call("verify", "--junit-xml", str(tmp_path / "verify.xml"))
    assert shown.returncode == 0, shown.stdout
    assert shown.stderr == ""
    lines = shown.stdout.splitlines()
    assert lines[-1].endswith(" passed, 0 failed, 0 skipped, against emulators in this process")
    assert int(lines[-1].split()[0]) >= 30
    rows = [line.replace("│", " ").split() for line in lines[-2 - len(generations()) : -2]]
    of_2024 = {name for name in generations() if load_definition(name).advertiser_from == "mapping"}
    outcomes = {True: ("refused", "works", "works"), False: ("works", "refused", "refused")}
    assert rows == [[name, *outcomes[name in of_2024]] for name in reversed(generations())]
    suites = ET.parse(tmp_path / "verify.xml").getroot()
    assert (suites.tag, suites.get("failures")) == ("testsuites", "0")
    assert len(suites[0]) == int(suites.get("tests", "0")) == int(lines[-1].split()[0])


def test_a_failure_is_printed_with_its_timeline_and_exits_1(call: Run, broken: Path) -> None:
    shown = call("verify", str(broken))
    assert shown.returncode == 1
    assert "at        steps[0].then.profiles" in shown.stdout
    assert "expected  ada, marketing status: PROSPECT" in shown.stdout
    assert "found     OPTED_IN" in shown.stdout
    assert "identify to 'StackAdapt Acme': sent" in shown.stdout
    assert "0 passed, 1 failed, 0 skipped" in shown.stdout


def test_a_typo_in_a_scenario_exits_2_before_any_is_played(call: Run, broken: Path) -> None:
    text = broken.read_text(encoding="utf-8")
    broken.write_text(text.replace("rejections: {}", "rejections: {MISSING_MAIL: 1}"), encoding="utf-8")
    shown = call("verify", str(APPEARS), str(broken))
    assert (shown.returncode, shown.stdout) == (2, "")
    assert "steps[0].then.rejections: " in shown.stderr
    assert "MISSING_MAIL" in shown.stderr
    assert "Did you mean 'MISSING_EMAIL'?" in shown.stderr


def test_a_fault_without_effect_fails_a_scenario_on_request(call: Run, tmp_path: Path) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_text("""
title: A fault that matches nothing
about: It names another root field.
steps:
  - when: [{fault: status, status: 503, operation: tokenInfo}]
    then: {profiles: []}
""")
    assert call("verify", str(path)).returncode == 0
    shown = call("verify", "--fail-on-unused", str(path))
    assert shown.returncode == 1
    assert "expected  every fault and rate limit to have an effect" in shown.stdout
    assert "found     fault 1, status (status 503, operation tokenInfo): matched no request" in shown.stdout


def test_json_is_one_object(call: Run, broken: Path) -> None:
    shown = call("verify", "--json", str(broken), str(APPEARS))
    assert shown.returncode == 1
    printed = json.loads(shown.stdout)
    assert printed["summary"] == {"passed": 1, "failed": 1, "skipped": 0}
    assert [each["outcome"] for each in printed["scenarios"]] == ["failed", "passed"]


def test_scenarios_are_listed_and_chosen_by_text(call: Run) -> None:
    listed = call("verify", "--list", "-k", "COMPLIANCE")
    assert listed.returncode == 0
    assert listed.stdout.splitlines() == [
        "deletion/compliance: After a compliance deletion the profile is never ingested again",
        "deletion/without-compliance-flag: After a deletion without the compliance flag the profile can reappear",
    ]
    as_json = json.loads(call("verify", "--list", "--json", "-k", "deletion.compliance").stdout)
    assert [Path(each["file"]).stem for each in as_json["scenarios"]] == ["compliance", "without-compliance-flag"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-k", "nothing like this"], "no matching scenario"),
        (["nowhere.yaml"], "nowhere.yaml: "),
        (["--target", "not a url"], "URL"),
        (["--target", "http://127.0.0.1:9/graphql"], "no response"),
        (["--target", "https://api.stackadapt.com/graphql"], "Add --allow-remote"),
        (["-k", "opted-in", "--junit-xml", "/nowhere/at/all.xml"], "cannot write /nowhere/at/all.xml: no such folder"),
    ],
)
def test_bad_usage_exits_2(call: Run, arguments: list[str], said: str) -> None:
    shown = call("verify", *arguments)
    assert shown.returncode == 2
    assert said in shown.stderr
    assert "Traceback" not in shown.stderr


def test_a_running_emulator_plays_in_sandboxes(call: Run, emulate: Emulate) -> None:
    url = emulate(latency="3h")
    shown = call("verify", "--target", url, "-k", "consent/")
    assert shown.returncode == 0, shown.stdout
    assert f"6 passed, 0 failed, 0 skipped, against sandboxes of the emulator at {url}" in shown.stdout


def test_a_running_emulator_may_need_its_control_token(call: Run, emulate: Emulate) -> None:
    verify = ("verify", str(APPEARS), "--target", emulate(control_token="of-the-test"))
    refused = call(*verify)
    assert refused.returncode == 2
    assert "this emulator needs its control token" in refused.stderr
    assert call(*verify, "--control-token", "of-the-test").returncode == 0


def test_a_graphql_endpoint_plays_some_scenarios_and_skips_the_others(call: Run, graphql_only: str) -> None:
    reached = ("--target", f"{graphql_only}/graphql", "--token", "sa-local-write", "--advertiser", "1001")
    shown = call("verify", *reached, "-k", "graphql/")
    assert shown.returncode == 0, shown.stdout
    assert "4 passed, 0 failed, 1 skipped, against the GraphQL endpoint" in shown.stdout
    assert "This needs an emulator: it uses more than GraphQL." in shown.stdout
    assert "sa-local-write" not in shown.stdout + shown.stderr


def test_a_graphql_endpoint_needs_a_token(call: Run, graphql_only: str) -> None:
    shown = call("verify", "--target", graphql_only)
    assert shown.returncode == 2
    assert f"{graphql_only}: not an emulator, so --token is required" in shown.stderr


# A workspace whose audience has another key, and a scenario about it.
OURS = """
title: A big spender arrives
about: Our own audience.
{given}
steps:
  - when: [{{enter: big_spenders, person: ada}}]
    then: {{profiles: [{{person: ada, in: [big_spenders]}}]}}
"""
PEOPLE = "  people: {ada: {email: ada@example.com}}"


@pytest.fixture
def ours(tmp_path: Path) -> Callable[..., Path]:
    """Writes a project: `workspace.yaml`, and `scenarios/spender.yaml` with what is given besides people."""
    text = (
        fixture("workspace.yaml").read_text().replace("vip_customers", "big_spenders").replace("total_spent", "spent")
    )
    (tmp_path / "workspace.yaml").write_text(text)
    (tmp_path / "scenarios").mkdir()

    def write(given: str = "") -> Path:
        path = tmp_path / "scenarios" / "spender.yaml"
        path.write_text(OURS.format(given="\n".join(["given:", PEOPLE, *given.splitlines()])))
        return path

    return write


def test_scenarios_about_a_workspace_of_ones_own(call: Run, ours: Callable[..., Path]) -> None:
    alone = call("verify", str(ours()))
    assert alone.returncode == 2
    assert "unknown audience 'big_spenders'" in alone.stderr
    workspace = str(ours().parent.parent / "workspace.yaml")
    with Emulator(load_workspace(workspace).with_options(latency="3h", api_version="2024-12")) as emulator:
        url = emulator.start()
        for given, arguments, passed in (
            ("", ("--workspace", workspace), True),
            ("  workspace: ../workspace.yaml", (), True),
            ("  workspace: ../workspace.yaml", ("--target", url), True),
            ("  latency: 0s", ("--target", url), False),  # the generation is not for the API version of the server
            ("  latency: 0s", ("--target", url, "--workspace", workspace), True),
            ("  workspace: {ingestion: {latency: instant}, apiVersion: 2026-06}", ("--target", url), True),
            ("  workspace: ../workspace.yaml\n  latency: 4h", (), False),
        ):
            shown = call("verify", str(ours(given)), *arguments)
            assert shown.returncode == int(not passed), (given, arguments, shown.stdout, shown.stderr)


def test_validate_reads_the_workspace_that_a_scenario_names(call: Run, ours: Callable[..., Path]) -> None:
    path = ours("  workspace: ../workspace.yaml")
    assert call("validate", str(path)).returncode == 0
    path.write_text(path.read_text().replace("big_spenders", "big_spender"))
    shown = call("validate", str(path))
    assert shown.returncode == 1
    assert "Did you mean 'big_spenders'?" in shown.stdout


@pytest.mark.parametrize(
    ("given", "arguments", "said"),
    [
        ("", ["--workspace", "WORKSPACE", "-k", "x"], "--workspace is for scenarios of your own"),
        ("  workspace: ../workspce.yaml", ["SCENARIO"], "workspce.yaml"),
        ("  workspace: ../broken.yaml", ["SCENARIO"], "broken.yaml: (top level): the key 'advertisers' is missing"),
        ("", ["SCENARIO", "--workspace", "BROKEN"], "broken.yaml: (top level): the key 'advertisers' is missing"),
        ("  workspace: 7", ["SCENARIO"], "given.workspace: "),
    ],
)
def test_a_workspace_that_cannot_be_used_exits_2(
    call: Run, ours: Callable[..., Path], given: str, arguments: list[str], said: str
) -> None:
    scenario = ours(given)
    folder = scenario.parent.parent
    (folder / "broken.yaml").write_text("tokens: []")
    paths = {"WORKSPACE": folder / "workspace.yaml", "SCENARIO": scenario, "BROKEN": folder / "broken.yaml"}
    shown = call("verify", *(str(paths.get(each, each)) for each in arguments))
    assert (shown.returncode, shown.stdout) == (2, "")
    assert said in shown.stderr
