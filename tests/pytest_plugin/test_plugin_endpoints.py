"""The same tests in sandboxes of a running emulator, and at an endpoint that has GraphQL only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from emulator import Emulator
from emulator.harness.remote_guard import Permission
from emulator.pytest_plugin.targets import target_at
from tests.pytest_plugin.conftest import ADVERTISER, ARRIVES, FAILS, GRAPHQL_ONLY, PLANS, TOKEN, Run


def test_tests_share_a_server_and_no_data(run: Run) -> None:
    source = """
    import pytest

    @pytest.fixture(scope="session")
    def slow_client(stackadapt_server):
        return stackadapt_server.url

    @pytest.mark.parametrize("turn", [1, 2])
    def test_isolated(slow_client, stackadapt, segment, turn):
        assert stackadapt.url == f"{slow_client}/graphql"
        assert stackadapt.profiles() == []
        segment.enter_audience("vip_customers", email="ada@example.com")
        stackadapt.expect_profile(email="ada@example.com")

    @pytest.mark.stackadapt(latency="4h")
    def test_has_a_latency(slow_client, stackadapt, segment):
        segment.enter_audience("vip_customers", email="ada@example.com")
        stackadapt.expect_no_profile(email="ada@example.com")
    """
    run(source).assert_outcomes(passed=3)


@pytest.mark.parametrize("path", ["", "/graphql"])
def test_the_same_tests_run_in_sandboxes_of_a_running_emulator(run: Run, path: str) -> None:
    source = (
        ARRIVES
        + """
def test_server(stackadapt_server, stackadapt_emulator):
    assert stackadapt_server.url == stackadapt_emulator.url

import pytest

@pytest.mark.stackadapt(workspace={"advertisers": [{"id": "77", "name": "Ours"}], "tokens": [
    {"token": "our-token", "name": "Ours", "scopes": {"77": ["READ", "WRITE"]}}]}, api_version="2024-12")
def test_another_workspace(stackadapt):
    assert stackadapt.advertiser_id == "77"
    mapping = stackadapt.graphql('{ __type(name: "ProfileMappingInput") { inputFields { name } } }')["__type"]
    assert "mappingSchema" in {field["name"] for field in mapping["inputFields"]}  # of this API version only

@pytest.mark.stackadapt(latency="4h")
def test_late(stackadapt, segment):
    segment.enter_audience("vip_customers", email="ada@example.com")
    stackadapt.expect_no_profile(email="ada@example.com")
    stackadapt.clock.advance("4h")
    stackadapt.expect_profile(email="ada@example.com")
"""
    )
    with Emulator() as emulator:
        result = run(source, "-rs", "--stackadapt-url", emulator.url + path)
        result.assert_outcomes(passed=4)
        result.stdout.fnmatch_lines(["stackadapt: http://127.0.0.1:*"])
        assert [sandbox.name for sandbox in emulator.sandboxes.all()] == ["default"]
        assert emulator.stackadapt.profiles() == []


CONTROL_TOKEN = "control-of-the-test"


@pytest.mark.parametrize("way", ["option", "environment"])
def test_a_running_emulator_may_need_its_control_token(
    run: Run, serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    options = ["--stackadapt-control-token", CONTROL_TOKEN] if way == "option" else []
    url = serve("--control-token", CONTROL_TOKEN).url
    if way == "environment":
        monkeypatch.setenv("STACKADAPT_EMULATOR_CONTROL_TOKEN", CONTROL_TOKEN)
    clock = "def test_clock(stackadapt_server, stackadapt): stackadapt.clock.advance('4h')\n"
    run(ARRIVES + clock, "--stackadapt-url", url, *options).assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "this emulator needs its control token."),
        (["--stackadapt-control-token", "other"], "wrong control token."),
    ],
)
def test_a_missing_control_token_is_reported_once_before_any_test(run: Run, options: list[str], message: str) -> None:
    with Emulator(control_token=CONTROL_TOKEN) as emulator:
        url = emulator.url
        result = run(ARRIVES, "--stackadapt-url", url, *options)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {url}: {message}*pass it as --stackadapt-control-token,*"])
    assert len([line for line in result.errlines if line]) == 1


def test_only_an_emulator_is_sent_the_control_token() -> None:
    headers: list[str] = []

    def far_end(request: httpx.Request) -> httpx.Response:
        headers.extend(request.headers)
        return httpx.Response(404)

    target = target_at(
        "http://localhost:4000/graphql",
        token="token",
        advertiser="1",
        control_token=CONTROL_TOKEN,
        permission=Permission(),
        through=lambda: httpx.MockTransport(far_end),
    )
    with target.isolated(None, {}) as endpoint:
        endpoint.client.post("/graphql", json={"query": "{ __typename }"})
    assert headers.count("host") == 2
    assert "x-emulator-control-token" not in headers


def test_a_sandbox_is_deleted_after_a_failed_test(run: Run) -> None:
    with Emulator() as emulator:
        run(FAILS, "--stackadapt-url", emulator.url).assert_outcomes(failed=1)
        assert len(emulator.sandboxes.all()) == 1


def test_without_a_control_api_tests_that_need_it_are_skipped_with_the_reason(run: Run, graphql_only: str) -> None:
    result = run(
        GRAPHQL_ONLY,
        "-rs",
        f"--stackadapt-url={graphql_only}",
        f"--stackadapt-token={TOKEN}",
        "--stackadapt-advertiser=1001",
    )
    result.assert_outcomes(passed=1, skipped=2)
    result.stdout.fnmatch_lines(
        ["SKIPPED*this needs the control API of an emulator.*", "SKIPPED*no Segment service at this endpoint*"]
    )


def test_a_plan_needs_an_emulator(run: Run, graphql_only: str) -> None:
    plans = PLANS.replace('stackadapt.control.get("workspace")["workspace"]', '"none.yaml"')
    url, token = f"--stackadapt-url={graphql_only}", f"--stackadapt-token={TOKEN}"
    run(plans, url, token, f"--stackadapt-advertiser={ADVERTISER}").assert_outcomes(skipped=1)


def test_the_environment_names_an_endpoint_too(run: Run, graphql_only: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("URL", graphql_only), ("TOKEN", TOKEN), ("ADVERTISER", ADVERTISER)):
        monkeypatch.setenv(f"STACKADAPT_TEST_{name}", value)
    run(GRAPHQL_ONLY).assert_outcomes(passed=1, skipped=2)


def test_a_stackadapt_endpoint_skips_tests_with_a_marker(run: Run, graphql_only: str) -> None:
    source = """
    import pytest

    @pytest.mark.stackadapt(latency="4h")
    def test_late(stackadapt):
        raise AssertionError("must be skipped")

    @pytest.mark.stackadapt(latency=None)
    def test_without_options(stackadapt):
        pass
    """
    result = run(
        source, "-rs", f"--stackadapt-url={graphql_only}", f"--stackadapt-token={TOKEN}", "--stackadapt-advertiser=1"
    )
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*the test cannot configure it. Found: 'latency'.*"])


@pytest.fixture
def nowhere() -> str:
    """A URL without a server."""
    with Emulator() as emulator:
        return emulator.url


def test_errors_of_an_endpoint_are_reported_once_before_any_test(run: Run, graphql_only: str, nowhere: str) -> None:
    for url, message in (
        (graphql_only, f"{graphql_only}: not an emulator, so --stackadapt-token is required"),
        (nowhere, f"{nowhere}: no response: *"),
        ("foo", "URL: *Found: 'foo'. Allowed: http or https."),
        (
            "https://h.example/graphql",
            "*this is another host, and nothing was sent.*--stackadapt-allow-remote*",
        ),
    ):
        result = run(ARRIVES + GRAPHQL_ONLY, "--stackadapt-url", url)
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        result.stderr.fnmatch_lines([f"ERROR: {message}"])
        assert len([line for line in result.errlines if line]) == 1
        result.stdout.no_fnmatch_line("*Traceback*")
