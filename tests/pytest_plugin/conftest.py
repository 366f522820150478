"""Projects whose tests use the plugin, and an endpoint for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

# pytester forgets what a run in process imports; httpx imports this one late and remembers its errors.
import httpcore  # noqa: F401 - imported to stay imported
import pytest

from emulator import Emulator
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


@pytest.fixture(scope="session", autouse=True)
def schema_in_use() -> None:
    """pytester also forgets what a server of this process imports during a run, and other tests would then replace
    functions in copies of modules.
    """
    with Emulator() as emulator:
        emulator.client.post("/graphql", json={"query": "{ user { email } }"})


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
