"""Tests of a project fail, or warn, when a fault or a rate limit that they ask for has no effect."""

from __future__ import annotations

import pytest

from tests.pytest_plugin.conftest import Run

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
