"""The pytest plugin: a separate emulator for each test. Installed with the package; no conftest is needed.

    def test_a_vip_arrives(stackadapt, segment):
        segment.enter_audience("vip_customers", email="ada@example.com", traits={"city": "Paris"})
        stackadapt.expect_profile(email="ada@example.com").in_audience("vip_customers").with_property("city", "Paris")

Every pytest run in the environment imports this file, which is installed as a module beside the package: the imports
are inside the functions, and a project that has its own package `emulator` can run its tests.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from emulator.harness.client import Endpoint
    from emulator.harness.expectations import ExpectingSegment, ExpectingStackAdapt
    from emulator.pytest_plugin.coverage_of_tests import CoverageOfTests
    from emulator.pytest_plugin.targets import Server, Target

_TARGET = pytest.StashKey["Target"]()
_ENDPOINT = pytest.StashKey["Endpoint"]()
_COVERAGE: pytest.StashKey[CoverageOfTests] = pytest.StashKey()
_COVERAGE_FILE = "stackadapt-coverage.json"
# The variable of the commands, too.
_CONTROL_VARIABLE = "STACKADAPT_EMULATOR_CONTROL_TOKEN"
_MARKER = (
    "stackadapt(workspace=None, latency=None, api_version=None, unused=None): start the emulator of this test with a "
    "workspace (path, dict or Workspace), a time until profiles are visible (instant, realistic or 4h), "
    "an API version of StackAdapt (2026-06). unused='fail' fails it when a fault or a rate limit had no effect, "
    "'ignore' does not, whatever --fail-on-unused says."
)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("stackadapt", "stackadapt-emulator")
    for name, metavar, text in (
        (
            "url",
            "URL",
            "Run the tests against this emulator or StackAdapt, instead of one emulator per test in process.",
        ),
        ("token", "TOKEN", "Token for a StackAdapt endpoint; not needed for an emulator."),
        ("advertiser", "ID", "Advertiser id for a StackAdapt endpoint."),
        (
            "emulator-command",
            "COMMAND",
            "Run the tests against the emulator that this command starts, such as 'uvx stackadapt-emulator'.",
        ),
    ):
        variable = _variable(name)
        group.addoption(f"--stackadapt-{name}", metavar=metavar, help=f"{text} Environment: {variable}.")
    group.addoption(
        "--stackadapt-control-token",
        metavar="TOKEN",
        help=f"Control token of an emulator that needs one. Environment: {_CONTROL_VARIABLE}.",
    )
    group.addoption(
        "--stackadapt-timeout",
        metavar="SECONDS",
        type=float,
        default=60.0,
        help="How long expect_profile waits at a StackAdapt endpoint (default: %(default)s). An emulator never waits.",
    )
    group.addoption("--stackadapt-allow-remote", action="store_true", help="Allow the URL of another host.")
    group.addoption(
        "--stackadapt-allow-writes", action="store_true", help="Allow the tests to change data on another host."
    )
    group.addoption(
        "--fail-on-unused",
        action="store_true",
        help="Fail a test when one of its faults matched no request, or a rate limit refused none.",
    )

    group.addoption(
        "--stackadapt-emulator-coverage",
        nargs="?",
        const=_COVERAGE_FILE,
        metavar="FILE",
        help=f"Write what the tests exercised of the sync to this file (default: {_COVERAGE_FILE}).",
    )

    parser.addini("stackadapt_emulator_command", "The same as --stackadapt-emulator-command.", default="")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", _MARKER)
    url = _option(config, "url")
    if url and _command(config):
        raise pytest.UsageError(
            "--stackadapt-url and --stackadapt-emulator-command exclude each other: give one of them"
        )
    coverage = config.getoption("--stackadapt-emulator-coverage")
    if (url or coverage) and (clash := _clash()):
        raise pytest.UsageError(clash)
    if coverage:
        from emulator.pytest_plugin.coverage_of_tests import CoverageOfTests

        config.stash[_COVERAGE] = CoverageOfTests(config, coverage)
        config.pluginmanager.register(config.stash[_COVERAGE])
    if not url:
        return
    from emulator.addresses import address
    from emulator.pytest_plugin.targets import SkipEmulatorTests, as_usage_error

    with as_usage_error():
        address(url)
    config.pluginmanager.register(SkipEmulatorTests())


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Probes the endpoint of --stackadapt-url, to report its errors once, before any test."""
    config = session.config
    url = _option(config, "url")
    if not url:
        return
    from emulator.harness.remote_guard import Permission
    from emulator.pytest_plugin.targets import as_usage_error, target_at

    with as_usage_error():
        config.stash[_TARGET] = target_at(
            url,
            token=_option(config, "token"),
            advertiser=_option(config, "advertiser"),
            control_token=config.getoption("--stackadapt-control-token") or os.environ.get(_CONTROL_VARIABLE),
            permission=Permission(
                remote=config.getoption("--stackadapt-allow-remote"),
                writes=config.getoption("--stackadapt-allow-writes"),
            ),
        )


def pytest_report_header(config: pytest.Config) -> str | None:
    url = _option(config, "url")
    if not url:
        return None
    from emulator.addresses import address, shown

    return f"stackadapt: {shown(address(url))}"


@pytest.fixture(scope="session")
def stackadapt_workspace() -> Any:
    """The workspace of emulators: a path, a dict or a Workspace; the default workspace when None. Override it.

    At the emulator of --stackadapt-url it is the workspace of each test's sandbox. At a StackAdapt endpoint, which
    cannot have one, the tests are skipped.
    """
    return None


@pytest.fixture(scope="session")
def stackadapt_server(_stackadapt_target: Target, stackadapt_workspace: Any) -> Iterator[Server]:
    """One emulator on a port (`.url`) for the whole session, for clients that are slow to start.

    A test that uses it, directly or through other fixtures, gets a separate sandbox.
    """
    with _stackadapt_target.server(stackadapt_workspace) as server:
        yield server


@pytest.fixture(scope="session")
def _stackadapt_target(pytestconfig: pytest.Config) -> Iterator[Target]:
    """What opens emulators, depending on the command line."""
    if clash := _clash():
        pytest.fail(clash, pytrace=False)
    if command := _command(pytestconfig):
        from emulator.pytest_plugin.served import target_of

        with target_of(command) as target:
            yield target
    elif _TARGET in pytestconfig.stash:
        yield pytestconfig.stash[_TARGET]
    else:
        from emulator.pytest_plugin.in_process import InProcess

        yield InProcess()


@pytest.fixture
def stackadapt_emulator(
    request: pytest.FixtureRequest, _stackadapt_target: Target, stackadapt_workspace: Any
) -> Iterator[Endpoint]:
    """A separate emulator, in process. `.url` opens a real port on first use."""
    from emulator.pytest_plugin.targets import marker_options

    options = marker_options(request.node)
    if "stackadapt_server" in request.fixturenames:
        opened = request.getfixturevalue("stackadapt_server").sandbox(options)
    else:
        opened = _stackadapt_target.isolated(stackadapt_workspace, options)
    with opened as endpoint:
        request.node.stash[_ENDPOINT] = endpoint
        yield endpoint
        if (coverage := request.config.stash.get(_COVERAGE, None)) is not None:
            coverage.add(endpoint)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Fails a test that passed although one of its faults or rate limits had no effect, if that was asked for."""
    yield
    if _ENDPOINT not in item.stash:
        return
    from emulator.harness.unused import unused_at
    from emulator.pytest_plugin.targets import fails_on_unused

    if fails_on_unused(item) and (lines := unused_at(item.stash[_ENDPOINT])):
        pytest.fail(
            "\n".join(["the test passed, but these had no effect", *(f"  {line}" for line in lines)]), pytrace=False
        )


@pytest.fixture
def stackadapt(stackadapt_emulator: Endpoint, pytestconfig: pytest.Config) -> ExpectingStackAdapt:
    """StackAdapt: token, GraphQL, profiles, segments, rejections, faults, clock, journal, expectations."""
    from emulator.harness.expectations import ExpectingStackAdapt

    return ExpectingStackAdapt(stackadapt_emulator, patience=pytestconfig.getoption("--stackadapt-timeout"))


@pytest.fixture
def segment(stackadapt_emulator: Endpoint) -> ExpectingSegment:
    """Segment: write key, identify, track, enter_audience, exit_audience, deliveries, expectations."""
    from emulator.harness.expectations import ExpectingSegment

    return ExpectingSegment(stackadapt_emulator)


def _option(config: pytest.Config, name: str) -> str | None:
    """An option of the command line or the environment."""
    value: str | None = config.getoption(f"--stackadapt-{name}") or os.environ.get(_variable(name))
    return value


def _command(config: pytest.Config) -> str | None:
    """The command that starts the emulator of another environment: the option, the variable or the configuration."""
    return _option(config, "emulator-command") or config.getini("stackadapt_emulator_command") or None


def _variable(name: str) -> str:
    return f"STACKADAPT_TEST_{name.upper().replace('-', '_')}"


def _clash() -> str | None:
    """What to do when `import emulator` finds another package than the one that this plugin belongs to."""
    here = Path(__file__).resolve()
    ours = next(folder for folder in (here.parent / "emulator", here.parent.parent) if _is_ours(folder))
    loaded = sys.modules.get("emulator")
    spec = loaded.__spec__ if loaded is not None else find_spec("emulator")
    places = [*(spec.submodule_search_locations or ()), *filter(None, [spec.origin])] if spec else []
    if any(Path(place).resolve() in (ours, ours / "__init__.py") for place in places):
        return None
    found = Path(places[0]) if places else "no package"
    return (
        "the fixtures of stackadapt-emulator need its package `emulator`, but the project has one of the same name\n"
        f"  found: {found}\n"
        f"  needed: {ours}\n"
        "  Rename the package of the project, or keep its folder off sys.path for these tests: run `pytest` instead of "
        "`python -m pytest`, with --import-mode=importlib and without `pythonpath`."
    )


def _is_ours(folder: Path) -> bool:
    return (folder / "pytest_plugin" / "targets.py").is_file()
