"""The plugin in a project that has the package installed and no conftest."""

from __future__ import annotations

from tests.pytest_plugin.conftest import ARRIVES, FAILS, Run


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
