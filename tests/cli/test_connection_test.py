"""`test-connection`: the published connection test and list of advertisers, against a running server."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from emulator.mapping import generations

Run = Callable[..., subprocess.CompletedProcess[str]]
Emulate = Callable[..., str]

ADVERTISERS = [{"value": "1001", "label": "Acme Outfitters"}, {"value": "1002", "label": "Globex Travel"}]


@pytest.fixture
def outcomes(call: Run, emulate: Emulate) -> Callable[[str], dict[str, Any]]:
    url = emulate()

    def of(token: str) -> dict[str, Any]:
        done = call("test-connection", "--target", url, "--token", token, "--json")
        found = {each["generation"]: each for each in json.loads(done.stdout)}
        assert list(found) == list(generations())
        assert done.returncode == (0 if all(each["passed"] for each in found.values()) else 1)
        assert token not in done.stdout + done.stderr
        return found

    return of


def test_a_token_that_may_write_passes_and_lists_its_advertisers(outcomes: Callable[[str], dict[str, Any]]) -> None:
    for outcome in outcomes("sa-local-write").values():
        assert (outcome["passed"], outcome["message"]) == (True, None)
        assert outcome["advertisers"] == ADVERTISERS


@pytest.mark.parametrize("token", ["sa-local-read", "unknown-token", "\x01-not-a-header"])
def test_any_other_token_fails_in_every_generation(outcomes: Callable[[str], dict[str, Any]], token: str) -> None:
    assert not any(outcome["passed"] for outcome in outcomes(token).values())
    assert all(outcome["message"] for outcome in outcomes(token).values())


def test_the_text_names_each_generation_and_what_failed(call: Run, emulate: Emulate) -> None:
    url = emulate()
    done = call("test-connection", "--target", url, "--token", "sa-local-write", "--generation", "3.387.0")
    assert done.stdout.splitlines() == [
        "3.387.0   passed",
        "            advertiser 1001  Acme Outfitters",
        "            advertiser 1002  Globex Travel",
    ]
    done = call("test-connection", "--target", url, "--token", "sa-local-read", "--generation", "3.517.0")
    assert (done.returncode, "3.517.0   failed: " in done.stdout) == (1, True)


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("http://127.0.0.1:9", "does not respond"),
        ("https://sandbox.stackadapt.com/public/graphql", "nothing was sent"),
        ("ftp://127.0.0.1", "invalid URL"),
    ],
)
def test_an_endpoint_that_cannot_be_tested_is_an_error(call: Run, target: str, said: str) -> None:
    done = call("test-connection", "--target", target, "--token", "secret-token")
    assert (done.returncode, said in done.stderr, "secret-token" in done.stderr) == (2, True, False)
