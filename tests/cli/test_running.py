"""Commands for an emulator that runs: which one they mean, and what they do not say of its address."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from emulator.harness.client import refusal_in
from tests.conftest import ROOT, command, environment

Run = Callable[..., subprocess.CompletedProcess[str]]
Serve = Callable[..., Any]
VIP = ("--audience", "vip_customers", "--email", "ada@example.com")


def test_a_command_that_exec_runs_speaks_to_the_emulator_around_it(run: Run) -> None:
    done = run("exec", "--", *command("trigger", "audience-entered", *VIP))
    assert done.returncode == 0, done.stderr
    assert "in vip_customers (aud_local_vip)" in done.stdout


def test_the_environment_names_the_emulator_of_every_such_command(run: Run, serve: Serve) -> None:
    named = {**environment(), "STACKADAPT_EMULATOR_URL": serve("--latency", "4h").url}

    def called(*arguments: str) -> str:
        done = subprocess.run(command(*arguments), capture_output=True, text=True, env=named, cwd=ROOT, check=True)
        return done.stdout

    assert "due " in called("trigger", "audience-entered", *VIP)
    assert "s ahead" in called("clock", "advance", "4h")
    assert "STACKADAPT_EMULATOR_URL" in run("clock", "show", "--help").stdout


def test_an_address_on_the_command_line_comes_first(call: Run, serve: Serve) -> None:
    url = serve().url
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
def test_what_an_address_may_hold_of_secrets_is_not_printed(
    call: Run, host: str, arguments: tuple[str, ...], userinfo: str
) -> None:
    done = call(*arguments, f"http://{userinfo}{host}/?key=secretkey")
    assert done.returncode == 2
    assert host in done.stderr
    assert "secret" not in done.stdout + done.stderr
    assert len(done.stderr.splitlines()) <= 2


def test_who_is_no_emulator_is_named_without_secrets() -> None:
    request = httpx.Request("GET", "http://user:secretpw@h.example/_emulator/clock?key=secretkey")
    refused = refusal_in(httpx.Response(404, html="<html>", request=request))
    assert str(refused) == "http://h.example/_emulator/clock: not an emulator: it responded with status 404"


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (("trigger", "audience-entered", "--user-id", "u1", "--audience", "nope?x#y"), "'nope?x#y'"),
        (("trigger", "identify", "--user-id", "u1", "--sandbox", "nope?x#y"), "'nope?x#y'"),
        (("trigger", "identify", "--user-id", "u1", "--sandbox", "né"), "'né'"),
        (("clock", "show", "--sandbox", "né"), "'n%C3%A9'"),
    ],
)
def test_a_name_that_an_address_cannot_hold_is_told_as_it_is(
    call: Run, serve: Serve, arguments: tuple[str, ...], found: str
) -> None:
    done = call(*arguments, "--url", serve().url)
    assert done.returncode == 2
    assert f"Found: {found}." in done.stderr
    assert len(done.stderr.splitlines()) == 1
