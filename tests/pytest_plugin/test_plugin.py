"""The plugin in a project that has the package installed and no conftest."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

# pytester forgets what a run in process imports; httpx imports this one late and remembers its errors.
import httpcore  # noqa: F401
import httpx
import pytest

from emulator import Emulator, load_workspace
from emulator.harness.client import NoControl, SegmentClient, StackAdaptClient
from emulator.harness.remote_guard import Permission
from emulator.pytest_plugin.in_process import InProcess
from emulator.pytest_plugin.targets import target_at
from emulator.server.listener import Listener

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

ARRIVES = """
def test_a_vip_arrives(stackadapt, segment):
    assert stackadapt.profiles() == []
    segment.enter_audience("vip_customers", email="ada@example.com")
    stackadapt.expect_profile(email="ada@example.com").in_audience("vip_customers")
"""
FAILS = """
def test_a_vip_arrives(stackadapt, segment):
    segment.enter_audience("vip_customers", user_id="u1")
    stackadapt.expect_profile(email="ada@example.com")
"""
PLANS = """
def test_the_change_loses_no_profile(stackadapt):
    workspace = stackadapt.control.get("workspace")["workspace"]
    stackadapt.plan(workspace, people=10).expect_no("lost-profiles")
"""
# For an endpoint without a control API: a test that can run and two that cannot.
GRAPHQL_ONLY = """
UPSERT = '''mutation { upsertProfiles(input: {
    advertiserId: 1001, externalProvider: "segment_io", profiles: "[{\\\\"email\\\\": \\\\"ada@example.com\\\\"}]"
}) { userErrors { message } } }'''

def test_writes_and_reads(stackadapt):
    assert stackadapt.graphql(UPSERT)["upsertProfiles"]["userErrors"] == []
    stackadapt.expect_profile(email="ada@example.com").with_marketing_status("INDETERMINATE")

def test_moves_the_clock(stackadapt):
    stackadapt.clock.advance("4h")

def test_sends_an_event(segment):
    segment.identify("u1")
"""
TOKEN, ADVERTISER = "sa-local-write", "1001"

Run = Callable[..., pytest.RunResult]


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs tests with only the plugin, and with the output of a developer's terminal."""
    # In a CI job pytest repeats whole messages in its summary.
    monkeypatch.delenv("CI", raising=False)
    for name in ("TEST_URL", "TEST_TOKEN", "TEST_ADVERTISER", "EMULATOR_CONTROL_TOKEN"):
        monkeypatch.delenv(f"STACKADAPT_{name}", raising=False)

    def run(source: str, *arguments: str, **files: str) -> pytest.RunResult:
        pytester.makepyfile(test_it=source, **files)
        return pytester.runpytest("-p", "no:cacheprovider", *arguments)

    return run


@pytest.fixture
def graphql_only() -> Iterator[str]:
    """The GraphQL endpoint of an emulator without its control API."""
    with Emulator() as emulator:

        def graphql(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            if environ["PATH_INFO"] != "/public/graphql":
                start_response("404 Not Found", [("Content-Type", "text/html"), ("Content-Length", "0")])
                return []
            return emulator.app({**environ, "PATH_INFO": "/graphql"}, start_response)

        listener = Listener(graphql)
        listener.start()
        yield f"{listener.url}/public/graphql"
        listener.stop()


def test_a_test_needs_only_the_fixtures(run: Run) -> None:
    run(ARRIVES).assert_outcomes(passed=1)


def test_a_failure_prints_the_timeline_and_ends_at_the_line_of_the_test(run: Run) -> None:
    result = run(FAILS)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            ">*expect_profile*",
            "E*emulator.Unmet: expected a visible profile for ada@example.com at advertiser 1001; none found",
            "E*PAYLOAD_VALIDATION_FAILED: The root value is missing the required field 'email'. (user u1)",
            "test_it.py:*: Unmet",
        ]
    )


def test_a_misspelled_argument_fails_at_the_line_of_the_test(run: Run) -> None:
    result = run("""
def test_typo(segment, stackadapt):
    segment.enter_audience("vip_customers", email="ada@example.com")
    segment.expect_delivery(outcom="sent")

def test_another_typo(segment, stackadapt):
    stackadapt.journal(operaton="upsertProfiles")
""")
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(
        [
            "E*UnknownName: expect_delivery: unknown argument 'outcom'. Known: *. Did you mean 'outcome'?",
            "test_it.py:3: UnknownName",
            "E*operaton: unknown parameter 'operaton'. Known: *. Did you mean 'operation'?",
            "test_it.py:6: InputError",
        ]
    )
    result.stdout.no_fnmatch_line("*arguments.py*")
    result.stdout.no_fnmatch_line("*control.py*")


def test_each_test_has_a_separate_emulator(run: Run) -> None:
    run(ARRIVES + ARRIVES.replace("arrives", "arrives_again")).assert_outcomes(passed=2)


def test_a_port_opens_on_first_use_of_the_url(run: Run) -> None:
    source = """
    import httpx

    def test_port(stackadapt_emulator, stackadapt, segment):
        assert httpx.get(f"{stackadapt_emulator.url}/_emulator/health", trust_env=False).is_success
        assert stackadapt.url == f"{stackadapt_emulator.url}/graphql"
        assert segment.host == stackadapt_emulator.url
        answer = httpx.post(stackadapt.url, json={"query": "{ user { email } }"}, trust_env=False,
                            headers={"authorization": f"Bearer {stackadapt.token}"})
        assert [entry["traceId"] for entry in stackadapt.journal()] == [answer.headers["x-emulator-trace-id"]]
    """
    run(source).assert_outcomes(passed=1)


def test_a_marker_configures_the_emulator(run: Run) -> None:
    source = """
    import pytest

    @pytest.mark.stackadapt(latency="4h", api_version="2024-12")
    def test_late(stackadapt, segment):
        segment.identify("u1", {"email": "ada@example.com", "total_spent": 900})
        stackadapt.expect_no_profile(email="ada@example.com")

    @pytest.mark.stackadapt(latncy="4h")
    def test_typo(stackadapt):
        pass
    """
    result = run(source)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*unknown option 'latncy'.*Did you mean 'latency'?*"])


def test_a_marker_takes_keyword_arguments_only(run: Run) -> None:
    source = """
    import pytest

    @pytest.mark.stackadapt("4h")
    def test_late(stackadapt):
        pass
    """
    result = run(source)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*the marker takes keyword arguments only. Found: \"'4h'\".*latency=*"])


def test_a_marker_is_documented(run: Run) -> None:
    run("", "--markers").stdout.fnmatch_lines(["@pytest.mark.stackadapt(workspace=None, latency=None, *"])


UNUSED = """
import pytest

@pytest.mark.stackadapt(unused="fail")
def test_marked(stackadapt):
    stackadapt.add_fault("status", status=503, operation="user", times=1)
    stackadapt.add_fault("status", status=503, operation="tokenInfo", probability=0.5)
    stackadapt.post("{ user { email } }")

def test_unmarked(stackadapt):
    stackadapt.add_fault("latency", milliseconds=5, email="*@example.com")
    stackadapt.clear_faults()

@pytest.mark.stackadapt(unused="ignore", workspace={"advertisers": [{"id": "77", "name": "Ours"}], "tokens": [
    {"token": "t", "name": "Ours", "scopes": {"77": ["READ"]}}], "rateLimit": {"requests": 5}})
def test_exempt(stackadapt):
    pass

@pytest.mark.stackadapt(unused="fail", workspace={"advertisers": [{"id": "77", "name": "Ours"}], "tokens": [
    {"token": "t", "name": "Ours", "scopes": {"77": ["READ"]}}], "rateLimit": {"requests": 5}})
def test_rate_limit(stackadapt, stackadapt_server):
    stackadapt.post("{ user { email } }")

def test_fails_anyway(stackadapt):
    stackadapt.add_fault("reset")
    raise ValueError("of the test")

def test_without_an_emulator():
    pass
"""


@pytest.mark.parametrize(
    ("options", "failed", "lines"),
    [
        ([], ["test_marked", "test_rate_limit", "test_fails_anyway"], []),
        (
            ["--fail-on-unused"],
            ["test_marked", "test_unmarked", "test_rate_limit", "test_fails_anyway"],
            ["  fault 1, latency (milliseconds 5, email *@example.com): matched no request"],
        ),
    ],
)
def test_a_fault_without_effect_fails_the_test(
    run: Run, options: list[str], failed: list[str], lines: list[str]
) -> None:
    result = run(UNUSED, *options)
    result.assert_outcomes(failed=len(failed), passed=6 - len(failed))
    # Each is named, and nothing but the message is printed.
    assert [line.split()[1] for line in result.outlines if line.startswith("____")] == failed
    printed = [
        line for line in result.outlines if "had no effect" in line or ": matched no" in line or "refused no" in line
    ]
    assert [line for line in printed if not line.startswith("FAILED")] == [
        "the test passed, but these had no effect",
        "  fault 2, status (status 503, operation tokenInfo, probability 0.5): matched no request",
        *["the test passed, but these had no effect", *lines][: 2 * len(lines)],
        "the test passed, but these had no effect",
        "  rate limit of 5 requests per 1s: refused no request",
    ]
    result.stdout.fnmatch_lines(["E*ValueError: of the test"])


def test_an_unknown_way_to_treat_unused_faults_is_refused(run: Run) -> None:
    result = run("import pytest\n@pytest.mark.stackadapt(unused='fial')\ndef test_it(stackadapt): pass")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["E*unused: unknown value 'fial'. Known: fail, ignore. Did you mean 'fail'?"])


OURS = {
    "advertisers": [{"id": "77", "name": "Ours"}],
    "tokens": [{"token": "our-token", "name": "Ours", "scopes": {"77": ["READ", "WRITE"]}}],
}


@pytest.fixture
def with_workspace(pytester: pytest.Pytester) -> Callable[[str], str]:
    """Makes the conftest of a project with a workspace, given as an expression."""
    pytester.makefile(".json", workspace=json.dumps(OURS))
    return lambda given: (
        f"""
    import pytest
    from emulator import load_workspace

    document = {OURS!r}

    @pytest.fixture(scope="session")
    def stackadapt_workspace():
        return {given}
    """
    )


WAYS = ["document", "'workspace.json'", "load_workspace('workspace.json')"]


@pytest.mark.parametrize("given", WAYS)
def test_a_project_can_have_a_workspace(run: Run, with_workspace: Callable[[str], str], given: str) -> None:
    source = """
    def test_ours(stackadapt, stackadapt_server):
        assert stackadapt.advertiser_id == "77"
        assert stackadapt.tokens.keys() == {"Ours"}

    def test_in_process(stackadapt):
        assert stackadapt.token == "our-token"
    """
    run(source, conftest=with_workspace(given)).assert_outcomes(passed=2)


@pytest.mark.parametrize("given", WAYS)
def test_a_running_emulator_gives_sandboxes_with_the_workspace_of_the_project(
    run: Run, with_workspace: Callable[[str], str], given: str
) -> None:
    source = """
    import pytest

    def test_ours(stackadapt, stackadapt_server):
        assert stackadapt.advertiser_id == "77"

    @pytest.mark.stackadapt(latency="4h")
    def test_ours_and_late(stackadapt):
        assert stackadapt.tokens.keys() == {"Ours"}
    """
    with Emulator() as emulator:
        result = run(source, "-rs", "--stackadapt-url", emulator.url, conftest=with_workspace(given))
    if given == WAYS[-1]:
        result.assert_outcomes(skipped=2)
        result.stdout.fnmatch_lines(["SKIPPED*stackadapt_workspace: a Workspace object cannot be sent*"])
    else:
        result.assert_outcomes(passed=2)


def test_a_stackadapt_endpoint_skips_tests_with_a_workspace(
    run: Run, graphql_only: str, with_workspace: Callable[[str], str]
) -> None:
    reached = (f"--stackadapt-url={graphql_only}", f"--stackadapt-token={TOKEN}", "--stackadapt-advertiser=1")
    result = run("def test_ours(stackadapt): pass", "-rs", *reached, conftest=with_workspace("document"))
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*the test cannot configure it. Found: 'stackadapt_workspace'.*"])


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
    result.stderr.fnmatch_lines([f"ERROR: {url}: {message}*give it as --stackadapt-control-token,*"])
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


def test_importing_the_plugin_imports_no_libraries() -> None:
    heavy = ("flask", "httpx", "sqlalchemy", "graphql", "jsonschema", "yaml")
    code = f"import sys, emulator.pytest_plugin; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


class RemoteHost:
    """An emulator in place of another host, which records the requests."""

    def __init__(self, emulator: Emulator) -> None:
        emulator.app.config["ANY_HOST"] = True
        self._app = emulator.app
        self.arrived: list[tuple[str, str]] = []

    def through(self) -> httpx.BaseTransport:
        emulated = httpx.WSGITransport(app=self._app)

        def far_end(request: httpx.Request) -> httpx.Response:
            self.arrived.append((request.method, request.url.path))
            return emulated.handle_request(request)

        return httpx.MockTransport(far_end)


@pytest.fixture
def remote_host() -> Iterator[RemoteHost]:
    with Emulator() as emulator:
        yield RemoteHost(emulator)


PROBE = [("GET", "/_emulator/health"), ("GET", "/_emulator/clock")]


def test_another_host_is_not_probed_without_permission(remote_host: RemoteHost) -> None:
    with pytest.raises(NoControl, match="--stackadapt-allow-remote"):
        target_at("http://emulator.example.org", permission=Permission(), through=remote_host.through)
    assert remote_host.arrived == []


def test_a_remote_emulator_needs_permission_to_write(remote_host: RemoteHost) -> None:
    target = target_at("http://emulator.example.org", permission=Permission(remote=True), through=remote_host.through)
    with (
        pytest.raises(NoControl, match=r"POST /_emulator/sandboxes.*--stackadapt-allow-writes"),
        target.isolated(None, {}),
    ):
        pass
    with (
        target.server(None) as server,
        pytest.raises(NoControl, match="--stackadapt-allow-writes"),
        server.sandbox({"latency": "4h"}),
    ):
        pass
    assert remote_host.arrived == PROBE


def test_a_remote_emulator_is_used_with_permission(remote_host: RemoteHost) -> None:
    permission = Permission(remote=True, writes=True)
    target = target_at("http://emulator.example.org", permission=permission, through=remote_host.through)
    with target.isolated(None, {}) as endpoint:
        SegmentClient(endpoint).identify("u1")
    assert ("POST", "/v1/identify") in remote_host.arrived
    assert remote_host.arrived[-1][0] == "DELETE"


@pytest.mark.parametrize("host", ["api.stackadapt.com", "api.segment.io"])
def test_production_is_never_written_to_whatever_it_says_it_is(remote_host: RemoteHost, host: str) -> None:
    permission = Permission(remote=True, writes=True)
    target = target_at(f"https://{host}", permission=permission, through=remote_host.through)
    with pytest.raises(NoControl, match="production hosts are never written to"), target.isolated(None, {}):
        pass
    assert remote_host.arrived == PROBE


def test_a_remote_mutation_is_blocked() -> None:
    sent: list[str] = []

    def far_end(request: httpx.Request) -> httpx.Response:
        sent.append(request.method)
        return httpx.Response(404)

    target = target_at(
        "https://sandbox.stackadapt.com/public/graphql",
        token="token",
        advertiser="1",
        permission=Permission(remote=True),
        through=lambda: httpx.MockTransport(far_end),
    )
    with (
        target.isolated(None, {}) as endpoint,
        pytest.raises(NoControl, match=r"this may change data on another host.*--stackadapt-allow-writes"),
    ):
        StackAdaptClient(endpoint).graphql("mutation { archiveAdvertiser(id: 1) { clientMutationId } }")
    assert sent == ["GET"]


def test_the_command_line_blocks_remote_writes_by_default(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []

    def far_end(request: httpx.Request) -> httpx.Response:
        sent.append(request.method)
        return httpx.Response(404)

    through = partial(target_at, through=lambda: httpx.MockTransport(far_end))
    monkeypatch.setattr("emulator.pytest_plugin.targets.target_at", through)
    result = run(
        GRAPHQL_ONLY,
        "-rs",
        "-k=writes",
        "--stackadapt-url=https://sandbox.stackadapt.com/public/graphql",
        f"--stackadapt-token={TOKEN}",
        "--stackadapt-advertiser=1001",
        "--stackadapt-allow-remote",
    )
    result.assert_outcomes(skipped=1, deselected=2)
    result.stdout.fnmatch_lines(["SKIPPED*this may change data on another host*--stackadapt-allow-writes*"])
    assert sent == ["GET"]


def test_a_workspace_object_is_not_sent_to_a_running_emulator() -> None:
    with Emulator() as emulator:
        target = target_at(emulator.url, permission=Permission())
        with pytest.raises(NoControl, match="Use a path or a dict"):
            target.isolated(load_workspace(), {"latency": "4h"})


def test_a_workspace_object_is_used_as_it_is() -> None:
    workspace = load_workspace()
    with InProcess().isolated("ignored.yaml", {"workspace": workspace}) as endpoint:
        assert endpoint.token == workspace.tokens[0].secret


COMMAND = f"{sys.executable} -m emulator"


@pytest.mark.parametrize("configured", [False, True])
def test_a_command_starts_the_emulator_of_another_environment(
    run: Run, pytester: pytest.Pytester, configured: bool
) -> None:
    if configured:
        pytester.makeini(f"[pytest]\nstackadapt_emulator_command = {COMMAND}")
    tests = ARRIVES + PLANS + FAILS.replace("test_a_vip_arrives", "test_no_email")
    result = run(tests, *([] if configured else [f"--stackadapt-emulator-command={COMMAND}"]))
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*expected a visible profile for ada@example.com*"])


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("no-such-command", "*the command cannot be run: *no-such-command*"),
        (f"{sys.executable} -c 'raise SystemExit(3)'", "*the command did not start an emulator*"),
        ("'", "*the command cannot be read: No closing quotation*"),
    ],
)
def test_a_command_that_starts_no_emulator_fails_the_tests_in_one_line(run: Run, command: str, message: str) -> None:
    result = run(ARRIVES, f"--stackadapt-emulator-command={command}")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([message])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_a_url_and_a_command_exclude_each_other(run: Run) -> None:
    result = run(ARRIVES, "--stackadapt-url=http://127.0.0.1:1", f"--stackadapt-emulator-command={COMMAND}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*exclude each other: give one of them*"])


def test_what_drives_another_environment_needs_neither_the_server_nor_graphql() -> None:
    script = (
        "import sys, emulator.pytest_plugin.served, emulator.harness.expectations;"
        "print(*{'ariadne', 'faker', 'flask', 'graphql', 'regex', 'sqlalchemy', 'uvicorn'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
