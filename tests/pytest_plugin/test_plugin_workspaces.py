"""Tests of a project in a workspace of its own."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from emulator import Emulator, load_workspace
from emulator.harness.client import NoControl
from emulator.harness.remote_guard import Permission
from emulator.pytest_plugin.in_process import InProcess
from emulator.pytest_plugin.targets import target_at
from tests.pytest_plugin.conftest import TOKEN, Run

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


def test_a_workspace_object_is_not_sent_to_a_running_emulator() -> None:
    with Emulator() as emulator:
        target = target_at(emulator.url, permission=Permission())
        with pytest.raises(NoControl, match="Use a path or a dict"):
            target.isolated(load_workspace(), {"latency": "4h"})


def test_a_workspace_object_is_used_as_it_is() -> None:
    workspace = load_workspace()
    with InProcess().isolated("ignored.yaml", {"workspace": workspace}) as endpoint:
        assert endpoint.token == workspace.tokens[0].secret
