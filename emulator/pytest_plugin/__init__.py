"""The pytest plugin: an emulator of its own for each test. Installed with the package, no conftest needed.

    def test_a_vip_arrives(stackadapt, segment):
        segment.enter_audience("vip_customers", email="ada@example.com", traits={"city": "Paris"})
        stackadapt.expect_profile(email="ada@example.com").in_audience("vip_customers").with_property("city", "Paris")

Every pytest run of whoever has the package imports this file: it imports nothing itself, its fixtures do.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from emulator.harness.client import Endpoint, SegmentClient
    from emulator.harness.expectations import ExpectingStackAdapt
    from emulator.pytest_plugin.targets import Server, Target

_TARGET = pytest.StashKey["Target"]()
_MARKER = (
    "stackadapt(workspace=None, latency=None, api_version=None): what the emulator of this test starts with: "
    "a workspace (path, dict or Workspace), the time until profiles are visible (instant, realistic or 4h), "
    "the API version of StackAdapt."
)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("stackadapt", "stackadapt-emulator")
    group.addoption(
        "--stackadapt-url",
        metavar="URL",
        help="Run the tests against this emulator, or this StackAdapt, instead of one emulator a test in process. "
        "Environment: STACKADAPT_TEST_URL.",
    )
    group.addoption(
        "--stackadapt-token",
        metavar="TOKEN",
        help="Token for a StackAdapt; an emulator gives each test its own. Environment: STACKADAPT_TEST_TOKEN.",
    )
    group.addoption(
        "--stackadapt-advertiser",
        metavar="ID",
        help="Advertiser to test with at a StackAdapt. Environment: STACKADAPT_TEST_ADVERTISER.",
    )
    group.addoption(
        "--stackadapt-timeout",
        metavar="SECONDS",
        type=float,
        default=60.0,
        help="How long expect_profile waits at a StackAdapt (default: %(default)s). An emulator needs no waiting.",
    )
    group.addoption("--stackadapt-allow-remote", action="store_true", help="Let the URL be another host.")
    group.addoption("--stackadapt-allow-writes", action="store_true", help="Let the tests change data there.")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", _MARKER)
    url = _elsewhere(config)
    if not url:
        return
    from emulator.addresses import address
    from emulator.pytest_plugin.skipping import SkipWhatNeedsAnEmulator, as_usage_error

    with as_usage_error():
        address(url)
    config.pluginmanager.register(SkipWhatNeedsAnEmulator())


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Asks who answers at another endpoint: what is wrong with it is told once, before any test."""
    config = session.config
    url = _elsewhere(config)
    if not url:
        return
    import os

    from emulator.pytest_plugin.skipping import as_usage_error
    from emulator.pytest_plugin.targets import Permission, target_at

    with as_usage_error():
        config.stash[_TARGET] = target_at(
            url,
            token=config.getoption("--stackadapt-token") or os.environ.get("STACKADAPT_TEST_TOKEN"),
            advertiser=config.getoption("--stackadapt-advertiser") or os.environ.get("STACKADAPT_TEST_ADVERTISER"),
            permission=Permission(
                remote=config.getoption("--stackadapt-allow-remote"),
                writes=config.getoption("--stackadapt-allow-writes"),
            ),
        )


def pytest_report_header(config: pytest.Config) -> str | None:
    url = _elsewhere(config)
    if not url:
        return None
    from emulator.addresses import address, shown

    return f"stackadapt: {shown(address(url))}"


@pytest.fixture(scope="session")
def stackadapt_workspace() -> Any:
    """What emulators start with: a path, a dict or a Workspace. Override it; the built-in workspace otherwise.

    At the emulator of --stackadapt-url an override is the workspace of each test's sandbox; at a StackAdapt, which
    cannot start with one, the tests are skipped.
    """
    return None


@pytest.fixture(scope="session")
def stackadapt_server(_stackadapt_target: Target, stackadapt_workspace: Any) -> Iterator[Server]:
    """One emulator on a port (`.url`) for the whole session, for clients that are slow to start.

    A test that uses it, itself or through other fixtures, gets a sandbox of its own there.
    """
    with _stackadapt_target.server(stackadapt_workspace) as server:
        yield server


@pytest.fixture(scope="session")
def _stackadapt_target(pytestconfig: pytest.Config) -> Target:
    """Where emulators come from, by the command line."""
    from emulator.pytest_plugin.targets import InProcess

    return pytestconfig.stash.get(_TARGET, None) or InProcess()


@pytest.fixture
def stackadapt_emulator(
    request: pytest.FixtureRequest, _stackadapt_target: Target, stackadapt_workspace: Any
) -> Iterator[Endpoint]:
    """An emulator that nobody else has, in process: `.url` opens a real port when it is first asked for."""
    from emulator.pytest_plugin.targets import named

    marker = request.node.get_closest_marker("stackadapt")
    options = named(marker.args, marker.kwargs) if marker else {}
    if "stackadapt_server" in request.fixturenames:
        opened = request.getfixturevalue("stackadapt_server").sandbox(options)
    else:
        opened = _stackadapt_target.isolated(stackadapt_workspace, options)
    with opened as endpoint:
        yield endpoint


@pytest.fixture
def stackadapt(stackadapt_emulator: Endpoint, pytestconfig: pytest.Config) -> ExpectingStackAdapt:
    """StackAdapt: token, GraphQL, profiles, segments, rejections, faults, clock, journal, expectations."""
    from emulator.harness.expectations import ExpectingStackAdapt

    return ExpectingStackAdapt(stackadapt_emulator, patience=pytestconfig.getoption("--stackadapt-timeout"))


@pytest.fixture
def segment(stackadapt_emulator: Endpoint) -> SegmentClient:
    """Segment: write key, identify, track, enter_audience, exit_audience, deliveries."""
    from emulator.harness.client import SegmentClient

    return SegmentClient(stackadapt_emulator)


def _elsewhere(config: pytest.Config) -> str | None:
    """The URL of another endpoint, if one is asked for."""
    import os

    url: str | None = config.getoption("--stackadapt-url") or os.environ.get("STACKADAPT_TEST_URL")
    return url
