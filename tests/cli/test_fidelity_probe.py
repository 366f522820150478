"""`fidelity probe` as a user meets it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from jsonschema import Draft202012Validator

from emulator.artefacts import contract_json
from emulator.cli.fidelity_probe import command
from emulator.harness.probe import STATE, Setup, State, harmless_bodies, probes
from emulator.harness.remote_guard import GuardedTransport, Permission

Run = Callable[..., subprocess.CompletedProcess[str]]
PROBE = ("fidelity", "probe")
OWN = ("--token", "sa-local-write", "--advertiser", "1001")


def check(text: str) -> None:
    Draft202012Validator(contract_json("probe.schema.json")).validate(json.loads(text))


def test_a_listing_needs_no_network_and_fits_the_schema(call: Run) -> None:
    shown = call(*PROBE, "--list", "--json", "--advertiser", "4711")
    assert (shown.returncode, shown.stderr) == (0, "")
    check(shown.stdout)
    listed = json.loads(shown.stdout)["probes"]
    assert [each["probe"] for each in listed] == [probe.id for probe in probes()]
    assert '"advertiserId": "4711"' in shown.stdout.replace('\\"', '"')
    text = call(*PROBE, "--list", "--only", "W18")
    assert text.stdout.startswith("W18  One external id with two emails, deleted by it  (writes, settles ")
    assert "<mail a>" in text.stdout


def test_a_difference_is_found_patched_and_the_exit_code(
    call: Run, emulate: Callable[..., str], tmp_path: Path
) -> None:
    workspace = tmp_path / "first.yaml"
    text = (Path(__file__).parents[2] / "fixtures" / "workspace.yaml").read_text(encoding="utf-8")
    workspace.write_text(text.replace("ingestion:\n", "ingestion:\n  sharedExternalId: first\n"), encoding="utf-8")
    url, folder = emulate(workspace), str(tmp_path / "probed")
    own = (*PROBE, "--url", url, *OWN, "-o", folder)
    shown = call(*own, "--only", "R8,W18", "--allow-writes", "--within", "0s")
    assert (shown.returncode, shown.stderr) == (1, "")
    assert 'differs    ingestion.external-ids  (ingestion.sharedExternalId: "first")' in shown.stdout
    assert "sa-local-write" not in shown.stdout
    assert "differs: seen on" in (tmp_path / "probed" / "ledger.patch").read_text(encoding="utf-8")
    again = call(*PROBE, "--resume", "--token", "sa-local-write", "-o", folder, "--json")
    assert (again.returncode, again.stderr) == (1, "")
    check(again.stdout)
    assert json.loads(again.stdout)["requests"] == 0
    assert "there is a probe in this folder already" in call(*own).stderr


def test_resuming_keeps_what_the_probe_was_begun_with(call: Run, emulate: Callable[..., str], tmp_path: Path) -> None:
    url, folder = emulate(), ("-o", str(tmp_path / "probed"), "--token", "sa-local-write")
    begun = ("--url", url, "--advertiser", "1001", "--only", "R11,W3", "--allow-writes")
    assert call(*PROBE, *begun, *folder).returncode == 0
    assert call(*PROBE, "--resume", *begun, *folder).returncode == 0
    others = {
        "--url": ("http://127.0.0.1:1/graphql", f"{url}/graphql"),
        "--advertiser": ("2", "1001"),
        "--only": ("R8", "R11,W3"),
        "--burst": ("5", "None"),
        "--segment": ("7", "None"),
        "--within": ("2h", "4h"),
    }
    for option, (value, allowed) in others.items():
        shown = call(*PROBE, "--resume", *folder, option, value)
        assert (shown.returncode, shown.stdout) == (2, ""), option
        assert f"{option}: the probe to resume was begun with another value" in shown.stderr
        assert f"Allowed: {allowed}. Leave it out" in shown.stderr


def test_a_probe_that_writes_goes_on_at_another_host_only_with_its_permission(call: Run, tmp_path: Path) -> None:
    setup = Setup(
        url="https://sandbox.stackadapt.com/public/graphql",
        advertiser_id="7",
        run="r",
        scopes=("READ", "WRITE"),
        advertisers=1,
        profiles=0,
        probes=("W3",),
        started=datetime(2026, 6, 1, tzinfo=UTC),
        writes=True,
    )
    State.create(tmp_path / STATE, setup)
    shown = call(*PROBE, "--resume", "--allow-remote", "--token", "x", "-o", str(tmp_path))
    assert (shown.returncode, shown.stdout) == (2, "")
    assert "this may change data on another host, and nothing was sent" in shown.stderr
    assert "Add --allow-writes" in shown.stderr


def test_the_ledger_is_printed_without_the_probe() -> None:
    # In a process of its own: the tests have imported it.
    code = "import sys, emulator.cli.fidelity; sys.exit('emulator.harness.probe' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_what_reads_needs_no_permission_to_write(call: Run, emulate: Callable[..., str], tmp_path: Path) -> None:
    shown = call(*PROBE, "--url", emulate(), *OWN, "-o", str(tmp_path / "probed"), "--json")
    assert (shown.returncode, shown.stderr) == (0, "")
    check(shown.stdout)
    found = json.loads(shown.stdout)
    assert found["counts"]["differs"] == 0
    assert found["counts"]["confirmed"] > 20
    assert "It writes: add --allow-writes" in shown.stdout


def test_the_guard_lets_every_reading_probe_through_to_another_host(tmp_path: Path) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"data": {}})

    guarded = GuardedTransport(
        Permission(remote=True),
        announce=lambda _: None,
        through=httpx.MockTransport(answer),
        harmless=harmless_bodies(),
    )
    with httpx.Client(transport=guarded) as client:
        for request in (each for probe in probes() if not probe.writes for each in probe.requests):
            body = request.body if isinstance(request.body, str) else json.dumps(request.body)
            url = "https://api.stackadapt.com/graphql"
            kind = {"Content-Type": request.content_type} if request.content_type else {}
            if request.in_url:
                client.get(url, params=httpx.QueryParams(body))
            else:
                client.post(url, content=body.encode(), headers=kind)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--advertiser", "1"), "--token: a token is needed"),
        (("--token", "x"), "--advertiser: an advertiser is needed"),
        (("--token", "x", "--advertiser", "me"), "Allowed: a number"),
        (("--token", "zoë", "--advertiser", "1"), "--token: a token is printable ASCII"),
        ((*OWN,), "this is another host, and nothing was sent"),
        (
            (*OWN, "--url", "https://api.stackadapt.com", "--allow-remote", "--allow-writes"),
            "production hosts are never written to, and nothing was sent",
        ),
        ((*OWN, "--only", "R77"), "--only: unknown probe 'R77'"),
        ((*OWN, "--only", "W3"), "--only: the probe W3 writes. Add --allow-writes."),
        ((*OWN, "--only", "R12b"), "--only: the probe R12b needs --burst"),
        ((*OWN, "--only", "W9", "--allow-writes"), "--only: the probe W9 needs --segment"),
        ((*OWN, "--allow-writes", "--within", "soon"), "--within: invalid duration"),
        (("--list", "--advertiser", "me"), "Allowed: a number"),
        (("--resume", "--token", "x", "-o", "none"), "no probe to resume"),
    ],
)
def test_mistakes_are_named(call: Run, arguments: tuple[str, ...], message: str) -> None:
    shown = call(*PROBE, *arguments)
    assert (shown.returncode, shown.stdout) == (2, "")
    assert message in shown.stderr


SENDING = {
    "--url": "http://127.0.0.1:1",
    "--token": "x",
    "--segment": "7",
    "--within": "1h",
    "--output": "folder",
    "--resume": None,
    "--allow-remote": None,
    "--allow-writes": None,
}
WITHOUT_EFFECT = {
    **{
        ("--list", name, *filter(None, (value,))): f"{name} cannot be combined with --list"
        for name, value in SENDING.items()
    },
    ("--list", "--only", "R8", "--burst", "5"): "--burst has no effect on the probes of --only",
    ("--only", "R8", "--burst", "5"): "--burst has no effect on the probes of --only",
    ("--only", "W3", "--allow-writes", "--within", "1h"): "--within has no effect on the probes of --only",
    ("--only", "W4", "--allow-writes", "--segment", "7"): "--segment has no effect on the probes of --only. It is for "
    "W3b, W9, W15b.",
    ("--within", "1h"): "--within has no effect without --allow-writes",
    ("--segment", "7"): "--segment has no effect without --allow-writes",
}


@pytest.mark.parametrize(("arguments", "message"), WITHOUT_EFFECT.items(), ids=str)
def test_options_without_effect_are_refused(call: Run, arguments: tuple[str, ...], message: str) -> None:
    own = () if "--list" in arguments else OWN
    shown = call(*PROBE, *arguments, *own)
    assert (shown.returncode, shown.stdout) == (2, "")
    assert f"Error: {message}" in shown.stderr


def test_every_option_has_an_effect_beside_list_or_is_refused() -> None:
    options = {next(name for name in each.opts if name.startswith("--")) for each in command.params}
    assert options - {*SENDING} == {"--advertiser", "--only", "--burst", "--list", "--json"}


def test_a_refused_token_is_named_but_not_printed(call: Run, emulate: Callable[..., str], tmp_path: Path) -> None:
    given = ("--token", "not-the-token", "--advertiser", "1001", "-o", str(tmp_path / "probed"))
    shown = call(*PROBE, "--url", emulate(), *given)
    assert (shown.returncode, shown.stdout) == (2, "")
    assert "the endpoint does not accept the token" in shown.stderr
    assert "not-the-token" not in shown.stderr
