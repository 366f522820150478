"""Commands for a running emulator: how they find it, and what they do not print of its URL."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from emulator.cli import cli
from emulator.cli.serve import command as serve_command
from emulator.harness.client import refusal_in
from tests.conftest import command

Run = Callable[..., subprocess.CompletedProcess[str]]
Emulate = Callable[..., str]
Serve = Callable[..., Any]
TOKEN = "of-the-test"
VIP = ("--audience", "vip_customers", "--email", "ada@example.com")


def test_a_command_inside_exec_uses_its_emulator(run: Run) -> None:
    done = run("exec", "--", *command("trigger", "audience-entered", *VIP))
    assert done.returncode == 0, done.stderr
    assert "in vip_customers (aud_local_vip)" in done.stdout


def test_the_environment_selects_the_emulator(call: Run, emulate: Emulate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACKADAPT_EMULATOR_URL", emulate(latency="4h"))
    assert "due " in call("trigger", "audience-entered", *VIP).stdout
    assert "s ahead" in call("clock", "advance", "4h").stdout
    assert "STACKADAPT_EMULATOR_URL" in call("clock", "show", "--help").stdout


def test_a_url_on_the_command_line_overrides_the_environment(call: Run, emulate: Emulate) -> None:
    url = emulate()
    done = call("exec", "--", *command("trigger", "audience-entered", *VIP, "--url", url))
    assert done.returncode == 0
    assert [each["email"] for each in httpx.get(f"{url}/_emulator/profiles", trust_env=False).json()["profiles"]]


@pytest.mark.parametrize("userinfo", ["", "user:secretpw@"])
@pytest.mark.parametrize(
    ("host", "arguments"),
    [
        ("127.0.0.1:9", ("clock", "show", "--url")),
        ("127.0.0.1:9", ("snapshot", "save", "never.snapshot.gz", "--url")),
        ("127.0.0.1:9", ("trigger", "identify", "--user-id", "u1", "--url")),
        ("127.0.0.1:9", ("generate", "identifies", "--count", "1", "--send")),
        ("127.0.0.1:9", ("verify", "--target")),
        ("192.0.2.1", ("clock", "show", "--url")),
        ("127.0.0.1:no-port", ("clock", "show", "--url")),
    ],
)
def test_secrets_in_a_url_are_not_printed(call: Run, host: str, arguments: tuple[str, ...], userinfo: str) -> None:
    done = call(*arguments, f"http://{userinfo}{host}/?key=secretkey")
    assert done.returncode == 2
    assert host in done.stderr
    assert "secret" not in done.stdout + done.stderr
    assert len(done.stderr.splitlines()) <= 2


def test_a_server_that_is_not_an_emulator_is_named_without_secrets() -> None:
    request = httpx.Request("GET", "http://user:secretpw@h.example/_emulator/clock?key=secretkey")
    refused = refusal_in(httpx.Response(404, html="<html>", request=request))
    assert str(refused).startswith("http://h.example/_emulator/clock: ")
    assert "secret" not in str(refused)


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (("trigger", "audience-entered", "--user-id", "u1", "--audience", "nope?x#y"), "'nope?x#y'"),
        (("trigger", "identify", "--user-id", "u1", "--sandbox", "nope?x#y"), "'nope?x#y'"),
        (("trigger", "identify", "--user-id", "u1", "--sandbox", "né"), "'né'"),
        (("clock", "show", "--sandbox", "né"), "'n%C3%A9'"),
    ],
)
def test_a_name_with_special_characters_is_printed_unchanged(
    call: Run, emulate: Emulate, arguments: tuple[str, ...], found: str
) -> None:
    done = call(*arguments, "--url", emulate())
    assert done.returncode == 2
    assert found in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_control_token_is_needed_once_it_is_set(call: Run, emulate: Emulate) -> None:
    show = ("clock", "show", "--url", emulate(control_token="of-the-test"))
    refused = call(*show)
    assert refused.returncode == 2
    assert "needs its control token" in refused.stderr
    assert "--control-token" in refused.stderr
    wrong = call(*show, "--control-token", "another")
    assert (wrong.returncode, "wrong control token" in wrong.stderr) == (2, True)
    assert call(*show, "--control-token", "of-the-test").returncode == 0
    unsendable = call(*show, "--control-token", "clé")
    assert (unsendable.returncode, "cannot be sent" in unsendable.stderr) == (2, True)


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
@pytest.mark.parametrize("token", ["", "clé"])
def test_serve_refuses_a_control_token_that_no_request_could_send(call: Run, host: str, token: str) -> None:
    done = call("serve", "--port", "0", "--host", host, "--control-token", token)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert "the control token" in done.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "127.0.0.1"])
def test_only_beyond_this_machine_a_control_token_is_generated(serve: Serve, host: str) -> None:
    server = serve("--host", host)
    url = server.url.replace("0.0.0.0", "127.0.0.1")
    token = server.connection.get("controlToken")
    assert (token is not None) is (host == "0.0.0.0")
    expected = 401 if token else 200
    assert httpx.get(f"{url}/_emulator/profiles", trust_env=False).status_code == expected
    sent = {"X-Emulator-Control-Token": token or ""}
    assert httpx.get(f"{url}/_emulator/profiles", headers=sent, trust_env=False).status_code == 200


@pytest.mark.parametrize("as_json", [True, False])
@pytest.mark.parametrize("host", ["0.0.0.0", "127.0.0.1"])
@pytest.mark.parametrize("where", ["option", "environment"])
def test_a_control_token_that_was_given_is_not_printed(
    where: str, host: str, as_json: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emulator.cli.serve._serve", lambda emulator, _listening, ready, _watched: ready(emulator))
    arguments = ["serve", "--port", "0", "--host", host, *["--json"] * as_json]
    variables = {}
    if where == "option":
        arguments += ["--control-token", TOKEN]
    else:
        variables = {"STACKADAPT_EMULATOR_SERVE_CONTROL_TOKEN": TOKEN}
    done = CliRunner().invoke(cli, arguments, env=variables, auto_envvar_prefix="STACKADAPT_EMULATOR")
    assert (done.exit_code, "/graphql" in done.stdout, TOKEN in done.output) == (0, True, False)


def test_a_server_is_on_this_machine_and_its_port_by_default(serve: Serve) -> None:
    defaults = {option.name: option.default for option in serve_command.params}
    assert (defaults["host"], defaults["port"]) == ("127.0.0.1", 8585)
    assert httpx.URL(serve().url).host == "127.0.0.1"
