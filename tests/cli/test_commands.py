"""The command line as a user sees it: a process, its output, its exit code."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from threading import Event

import httpx
import pytest
import yaml
from click.testing import CliRunner

from emulator import Emulator
from emulator.cli import COMMANDS, cli, main
from emulator.cli.serve import warning_about
from tests.conftest import READY_SECONDS, ROOT, Served, command, environment

Run = Callable[..., subprocess.CompletedProcess[str]]
Emulate = Callable[..., str]
Serve = Callable[..., Served]


def test_help_lists_every_command(run: Run) -> None:
    shown = run("--help")
    assert shown.returncode == 0
    assert "Start here:" in shown.stdout
    assert all(name in shown.stdout for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name: str) -> None:
    shown = CliRunner().invoke(cli, [name, "--help"])
    assert shown.exit_code == 0
    assert "Examples:" in shown.stdout
    assert f"stackadapt-emulator {name}" in shown.stdout


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("SERVE_API_EDITION", "SERVE_API_VERSION"),
        ("EXEC_API_EDITION", "EXEC_API_VERSION"),
        ("DRIFT_EDITION", "DRIFT_API_VERSION"),
        ("GENERATE_PEOPLE_AWKWARD", "GENERATE_PEOPLE_EDGE_CASE"),
    ],
)
def test_the_variable_of_a_renamed_option_is_an_error(
    call: Run, monkeypatch: pytest.MonkeyPatch, old: str, new: str
) -> None:
    monkeypatch.setenv(f"STACKADAPT_EMULATOR_{old}", "x")
    shown = call("lint")
    assert shown.returncode == 2
    assert f"'STACKADAPT_EMULATOR_{old}'. It is now 'STACKADAPT_EMULATOR_{new}'." in shown.stderr


def test_an_unknown_command_is_bad_usage(run: Run) -> None:
    assert run("srve").returncode == 2


@pytest.mark.parametrize(
    ("typo", "message"),
    [
        ("triger", "Did you mean 'trigger'?"),
        ("clock advanse", "Did you mean 'advance'?"),
        ("zzz", "No such command 'zzz'.\n"),
    ],
)
def test_the_closest_command_is_suggested(call: Run, typo: str, message: str) -> None:
    refused = call(*typo.split())
    assert refused.returncode == 2
    assert message in refused.stderr


@pytest.mark.parametrize("asked", [False, True])
def test_an_unexpected_error_is_reported_as_a_bug_with_a_traceback_on_request(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], asked: bool
) -> None:
    def broken(**_: object) -> None:
        raise KeyError("name\nof something")

    monkeypatch.setattr(cli, "main", broken)
    if asked:
        monkeypatch.setenv("STACKADAPT_EMULATOR_TRACEBACK", "1")
    with pytest.raises(SystemExit) as stopped:
        main()
    printed = capsys.readouterr().err
    assert stopped.value.code == 3
    assert printed.splitlines()[-1].startswith("error: this is a bug in the emulator: KeyError: ")
    assert "STACKADAPT_EMULATOR_TRACEBACK=1" in printed
    assert ("Traceback" in printed, len(printed.splitlines()) == 1) == (asked, not asked)


def test_the_demo_adds_up_and_ends_with_the_funnel(run: Run) -> None:
    shown = run("demo")
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert "profiles visible" in shown.stdout
    assert shown.stdout.rstrip().endswith("each segment has exactly the expected members.")
    assert shown.stderr == ""


def test_the_demo_shows_every_outcome(call: Run) -> None:
    funnel = json.loads(call("demo", "--json").stdout)
    assert len(funnel["rejected_by_mapping_reasons"]) == 2
    assert {batch["reason"] for batch in funnel["failed_batches"]} == {"GRAPHQL_ERRORS", "USER_ERRORS"}
    assert funnel["rejected_by_stackadapt"]
    for segment in funnel["segments"]:
        assert 0 < segment["size"] < funnel["profiles_visible"]


def test_the_same_seed_gives_the_same_result(run: Run, call: Run) -> None:
    # In two processes, as hashes of strings differ between them.
    first, second = (each("demo", "--json", "--people", "1000", "--seed", "1") for each in (run, call))
    assert first.returncode == 0, first.stdout + first.stderr
    assert second.returncode == 0, second.stdout + second.stderr
    funnel = json.loads(first.stdout)
    assert funnel == json.loads(second.stdout)
    assert funnel["balanced"] is True
    assert funnel["failed_batches"]
    assert any("Syntax Error" in batch["error"] for batch in funnel["failed_batches"])
    assert funnel["rejected_by_stackadapt"]
    assert funnel["rejected_by_mapping"] > 0
    assert funnel["profiles_visible"] > 0
    for segment in funnel["segments"]:
        assert segment["size"] == segment["expected"] > 0
    assert funnel["events"] == (
        funnel["sent"] + funnel["not_triggered"] + funnel["rejected_by_mapping"] + funnel["failed"]
    )


def test_another_seed_gives_another_result(call: Run) -> None:
    first, second = (call("demo", "--json", "--people", "50", "--seed", seed) for seed in ("1", "2"))
    assert first.returncode == second.returncode == 0
    assert json.loads(first.stdout) != json.loads(second.stdout)


def test_serve_prints_its_url_and_stops_gracefully(serve: Serve) -> None:
    served = serve()
    assert httpx.get(f"{served.url}/_emulator/health", trust_env=False).json()["status"] == "ok"
    assert served.connection["tokens"]["Local read and write"] == "sa-local-write"
    assert served.stop(signal.SIGTERM) == 0


def test_serve_stops_on_an_interrupt(serve: Serve) -> None:
    assert serve().stop(signal.SIGINT) == 0


def test_serve_stops_on_an_interrupt_when_a_script_has_started_it(serve: Serve) -> None:
    # As the shell of a script starts a command with &.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        served = serve()
    finally:
        signal.signal(signal.SIGINT, before)
    assert served.stop(signal.SIGINT) == 0


def test_serve_at_a_pipe_stops_when_the_program_at_its_other_end_does(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            command("serve", "--port", "0", "--json", "--until-stdin-closes"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=environment(),
        )
    assert process.stdin
    assert process.stdout
    url = json.loads(process.stdout.readline())["url"]
    # What comes in is no reason to stop.
    process.stdin.write("noise\n")
    process.stdin.flush()
    assert httpx.get(f"{url}/_emulator/health", trust_env=False).is_success
    process.stdin.close()
    assert process.wait(READY_SECONDS) == 0
    process.stdout.close()
    assert (tmp_path / "log").read_text() == ""


def test_serve_at_a_pipe_is_one_process(call: Run) -> None:
    ended = call("serve", "--until-stdin-closes", "--workers", "2", "--database", "postgresql://unused")
    assert ended.returncode == 2
    assert ended.stderr == "error: --workers: --until-stdin-closes needs one process. Found: 2. Allowed: 1.\n"


def test_serve_sends_an_old_enough_batch_without_a_request(serve: Serve, tmp_path: Path) -> None:
    arrived = Event()
    with Emulator() as receiver:
        receiver.report_to(lambda _: arrived.set())
        workspace = yaml.safe_load((ROOT / "fixtures" / "workspace.yaml").read_text())
        workspace["destinations"][0] |= {"endpoint": f"{receiver.url}/graphql", "batch": {"size": 1000, "age": "1s"}}
        path = tmp_path / "workspace.yaml"
        path.write_text(yaml.safe_dump(workspace))
        served = serve("--workspace", str(path))
        body = {"userId": "u1", "traits": {"email": "ada@example.com", "total_spent": 900}}
        httpx.post(f"{served.url}/v1/identify", json=body, auth=("segment-local", ""), trust_env=False)
        assert arrived.wait(READY_SECONDS)
        assert served.stop() == 0


def test_serve_stops_once_however_many_signals_arrive(serve: Serve) -> None:
    served = serve()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGINT):
        served.process.send_signal(number)
    assert served.process.wait(timeout=READY_SECONDS) == 0
    assert served.process.stderr is not None
    assert served.process.stderr.read() == ""


def test_a_folder_in_use_by_another_emulator_is_refused(serve: Serve, call: Run, tmp_path: Path) -> None:
    served = serve("--data", str(tmp_path))
    refused = call("serve", "--port", "0", "--data", str(tmp_path))
    assert refused.returncode == 2
    assert "another emulator uses this folder" in refused.stderr
    assert served.stop() == 0
    with Emulator(data=tmp_path):
        pass


def test_serve_logs_neither_tokens_nor_emails(serve: Serve) -> None:
    served = serve("--log-format", "json")
    body = {"userId": "u1", "traits": {"email": "ada@example.com", "total_spent": 900}}
    httpx.post(f"{served.url}/v1/identify", json=body, auth=("segment-local", ""), trust_env=False)
    served.stop()
    assert served.process.stderr is not None
    log = served.process.stderr.read()
    events = [json.loads(line)["event"] for line in log.splitlines()]
    assert {"CallReceived", "MembershipChanged", "GraphQLExchanged", "BatchDelivered", "RecordProcessed"} <= set(events)
    assert "ada@example.com" not in log
    assert "sa-local" not in log
    assert "segment-local" not in log


@pytest.mark.parametrize(
    ("host", "warns"), [("127.0.0.1", False), ("localhost", False), ("::1", False), ("0.0.0.0", True), ("::", True)]
)
def test_a_non_loopback_address_gets_a_warning(host: str, warns: bool) -> None:
    assert (warning_about(host) is not None) is warns


def test_a_port_in_use_is_one_line_and_exit_2(run: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        shown = run("serve", "--port", port)
    assert shown.returncode == 2
    assert shown.stderr.splitlines() == [
        f"error: 127.0.0.1: port {port} is in use. Choose another one with --port; 0 selects a free one."
    ]


def test_a_workspace_with_a_typo_is_one_line_and_exit_2(call: Run, tmp_path: Path) -> None:
    path = tmp_path / "workspace.yaml"
    path.write_text("advertisers: [{id: '1', nme: A}]\ntokens: [{token: t, name: T, scopes: {}}]\n")
    shown = call("serve", "--workspace", str(path))
    assert shown.returncode == 2
    assert shown.stderr.startswith(f"error: {path}: advertisers[0]: ")
    assert "'nme'" in shown.stderr
    assert "Did you mean 'name'?" in shown.stderr
    assert len(shown.stderr.splitlines()) == 1


@pytest.mark.parametrize("command", [("serve", "--port", "0"), ("exec",)], ids=["serve", "exec"])
def test_an_error_found_only_at_the_start_names_the_file_too(
    call: Run, tmp_path: Path, command: tuple[str, ...]
) -> None:
    path = tmp_path / "workspace.yaml"
    path.write_text(
        "advertisers: [{id: '1', name: A}]\ntokens: [{token: t, name: T, scopes: {}}]\n"
        "audiences: [{id: aud_x, key: x, name: X, condition: {audience: y}}]\n"
    )
    shown = call(*command, "--workspace", str(path), *(("--", "true") if command == ("exec",) else ()))
    assert shown.returncode == 2
    assert f"\nerror: {path}: audience 'x': condition: unknown audience 'y'. Known: x.\n" in shown.stderr


def test_a_missing_database_driver_is_named_as_the_package_declares_it(
    call: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    (package,) = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["postgres"]
    monkeypatch.setitem(sys.modules, "psycopg", None)
    shown = call("serve", "--port", "0", "--database", "postgresql://localhost/emulator")
    assert shown.returncode == 2
    assert shown.stderr == (
        "error: --database: the PostgreSQL driver is not installed. Install it beside the emulator: "
        f"pip install '{package}', pipx inject stackadapt-emulator '{package}', or uvx --with '{package}'.\n"
    )


def test_an_invalid_latency_is_exit_2(call: Run) -> None:
    shown = call("serve", "--latency", "soon")
    assert (shown.returncode, "latency" in shown.stderr) == (2, True)


def test_data_survives_the_process(serve: Serve, tmp_path: Path) -> None:
    body = {"userId": "u1", "traits": {"email": "ada@example.com", "total_spent": 900}}
    first = serve("--data", str(tmp_path))
    httpx.post(f"{first.url}/v1/identify", json=body, auth=("segment-local", ""), trust_env=False).raise_for_status()
    first.stop()
    second = serve("--data", str(tmp_path))
    profiles = httpx.get(f"{second.url}/_emulator/profiles", trust_env=False).json()["profiles"]
    assert [profile["email"] for profile in profiles] == ["ada@example.com"]


def test_the_clock_command_moves_the_clock(call: Run, emulate: Emulate) -> None:
    url = emulate(latency="4h")
    body = {"userId": "u1", "traits": {"email": "ada@example.com", "total_spent": 900}}
    httpx.post(f"{url}/v1/identify", json=body, auth=("segment-local", ""), trust_env=False).raise_for_status()
    moved = call("clock", "advance", "4h", "--url", url, "--json")
    assert moved.returncode == 0, moved.stderr
    assert json.loads(moved.stdout)["aheadSeconds"] == 4 * 3600
    profiles = httpx.get(f"{url}/_emulator/profiles", trust_env=False).json()["profiles"]
    assert [profile["email"] for profile in profiles] == ["ada@example.com"]
    assert "frozen" in call("clock", "freeze", "--url", url).stdout
    assert "running" in call("clock", "resume", "--url", url).stdout
    assert "s ahead)" in call("clock", "show", "--url", url).stdout


def test_an_invalid_duration_is_exit_2(call: Run) -> None:
    shown = call("clock", "advance", "4 weeks")
    assert (shown.returncode, "90s, 15m, 4h, 2d" in shown.stderr) == (2, True)


def test_a_missing_emulator_gets_a_hint(call: Run) -> None:
    shown = call("clock", "show", "--url", "http://127.0.0.1:9")
    assert (shown.returncode, "stackadapt-emulator serve" in shown.stderr) == (2, True)
