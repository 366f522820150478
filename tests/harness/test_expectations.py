"""Expectations, and what a failed one prints."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from emulator import Emulator, Unmet, load_workspace
from emulator.errors import ContractViolation, InputError
from emulator.harness.client import Endpoint, NoControl, SegmentClient, sandbox_at
from emulator.harness.expectations import ExpectingStackAdapt

ADA = "ada@example.com"
PARIS = {"field": "city", "operator": "equals", "value": "Paris"}


def endpoint_of(emulator: Emulator) -> Endpoint:
    client = httpx.Client(transport=httpx.WSGITransport(app=emulator.app), base_url="http://127.0.0.1")
    return sandbox_at(client)


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Emulator() as emulator:
        yield endpoint_of(emulator)


@pytest.fixture
def stackadapt(endpoint: Endpoint) -> ExpectingStackAdapt:
    return ExpectingStackAdapt(endpoint)


@pytest.fixture
def segment(endpoint: Endpoint) -> SegmentClient:
    return SegmentClient(endpoint)


@pytest.fixture
def ada(segment: SegmentClient) -> None:
    segment.enter_audience("vip_customers", email=ADA, traits={"city": "Paris"})


def upsert(*records: dict[str, Any], advertiser: str = "1001") -> str:
    profiles = json.dumps(json.dumps(records))
    return f"""mutation {{ upsertProfiles(input: {{
      advertiserId: {advertiser}, externalProvider: "segment_io", profiles: {profiles}
    }}) {{ userErrors {{ message }} }} }}"""


@pytest.mark.usefixtures("ada")
def test_expectations_of_a_profile_can_be_chained(stackadapt: ExpectingStackAdapt) -> None:
    profile = stackadapt.expect_profile(email=ADA).in_audience("vip_customers").in_audience("aud_local_vip")
    profile.with_property("city", "Paris").with_marketing_status("OPTED_IN")
    assert profile.email == ADA


def test_an_unknown_audience_is_an_error(stackadapt: ExpectingStackAdapt) -> None:
    stackadapt.post(upsert({"email": ADA}, {"email": "bob@example.com", "audienceId": "7", "audienceName": "theirs"}))
    profile = stackadapt.expect_profile(email=ADA)
    profile.not_in_audience("vip_customers").not_in_audience("aud_local_vip").not_in_audience("theirs")
    with pytest.raises(
        InputError, match=r"not_in_audience: unknown audience 'vip_custmers'.*Did you mean 'vip_customers'\?"
    ):
        profile.not_in_audience("vip_custmers")


@pytest.mark.usefixtures("ada")
def test_a_failed_expectation_prints_what_the_profile_has(stackadapt: ExpectingStackAdapt) -> None:
    profile = stackadapt.expect_profile(email=ADA)
    with pytest.raises(
        Unmet,
        match=r"ada@example.com to be in audience 'others'; it is in vip_customers \(aud_local_vip\)",
    ):
        profile.in_audience("others")
    with pytest.raises(Unmet, match="not to be in audience 'vip_customers'; it is"):
        profile.not_in_audience("vip_customers")
    with pytest.raises(Unmet, match="to have city = 'Rome'; it has 'Paris'"):
        profile.with_property("city", "Rome")
    with pytest.raises(Unmet, match=r"to have citty = 'Paris'; its properties are city \(Did you mean 'city'\?\)"):
        profile.with_property("citty", "Paris")
    with pytest.raises(Unmet, match="to have marketing status OPTED_OUT; it has OPTED_IN"):
        profile.with_marketing_status("OPTED_OUT")


@pytest.mark.usefixtures("ada")
def test_an_unexpected_profile_is_printed_with_its_timeline(stackadapt: ExpectingStackAdapt) -> None:
    stackadapt.expect_no_profile(email="unknown@example.com")
    with pytest.raises(
        Unmet,
        match=r"(?s)^expected no visible profile for ada@example.com at .*; found one\n.*identify to .*: sent",
    ):
        stackadapt.expect_no_profile(email=ADA)


def test_a_failure_is_an_assertion_and_a_broken_contract() -> None:
    assert issubclass(Unmet, AssertionError)
    assert issubclass(Unmet, ContractViolation)


def test_a_missing_profile_without_events_prints_all_other_failures(
    stackadapt: ExpectingStackAdapt, segment: SegmentClient
) -> None:
    segment.identify("u1", {"total_spent": 900})
    stackadapt.post(upsert({"first_name": "Ada"}))
    with pytest.raises(Unmet) as failure:
        stackadapt.expect_profile(email=ADA)
    printed = str(failure.value)
    assert re.search(r"1 call came in, the last at 2\S+Z, none of them about this person", printed)
    assert "PAYLOAD_VALIDATION_FAILED: The root value is missing the required field 'email'. (user u1)" in printed
    assert 'record {"first_name": "Ada"}: rejected, MISSING_EMAIL' in printed


def test_a_token_without_scope_is_named(stackadapt: ExpectingStackAdapt) -> None:
    stackadapt.post(upsert({"email": ADA}), token=stackadapt.tokens["Local read only"])
    with pytest.raises(Unmet, match="The token has no WRITE scope for advertiser 1001"):
        stackadapt.expect_profile(email=ADA)


def test_an_unescaped_quote_is_named_with_its_place(stackadapt: ExpectingStackAdapt) -> None:
    stackadapt.post('{ cdpProfiles(advertiserId: 1001, filterBy: {email: "a"da@example.com"}) { size } }')
    with pytest.raises(Unmet, match=r'Syntax Error: .* \(line 1, column 58, near:  filterBy: {email: "a"da@example'):
        stackadapt.expect_profile(email=ADA)


def test_a_failed_batch_is_named_with_its_place(stackadapt: ExpectingStackAdapt, segment: SegmentClient) -> None:
    segment.enter_audience("vip_customers", email=ADA, traits={"first_name": 'A"da'})
    with pytest.raises(Unmet, match=r"GRAPHQL_ERRORS: Syntax Error: .* \(line 19, column \d+ of the document\)"):
        stackadapt.expect_profile(email=ADA)


def test_a_profile_whose_latency_has_not_passed_has_a_hint() -> None:
    with Emulator(load_workspace().with_options(latency="4h")) as emulator:
        stackadapt = ExpectingStackAdapt(endpoint_of(emulator))
        stackadapt.clock.freeze()
        due = stackadapt.clock.now.replace(microsecond=0)
        stackadapt.post(upsert({"email": ADA}))
        with pytest.raises(Unmet, match=r"(?s)record: queued, due .*stackadapt\.clock\.advance\("):
            stackadapt.expect_profile(email=ADA)
        assert (stackadapt.clock.advance("4h") - due).total_seconds() >= 4 * 3600
        stackadapt.expect_profile(email=ADA)


def test_a_long_list_of_failures_is_truncated(stackadapt: ExpectingStackAdapt) -> None:
    stackadapt.post(upsert(*({"number": number} for number in range(20))))
    with pytest.raises(Unmet, match=r"(?s)Other failures:.*and 12 more"):
        stackadapt.expect_profile(email=ADA)


def test_a_rejection_is_found_by_reason_and_email(stackadapt: ExpectingStackAdapt) -> None:
    stackadapt.post(upsert({"email": "ada@"}, {"first_name": "Ada"}))
    assert stackadapt.expect_rejection(reason="INVALID_EMAIL", email="ADA@")[0]["record"] == {"email": "ada@"}
    assert len(stackadapt.expect_rejection()) == 2
    with pytest.raises(
        Unmet,
        match=r"with reason 'MISSING_EMAIL' and email 'grace@example.com'; found none among 2",
    ):
        stackadapt.expect_rejection(reason="MISSING_EMAIL", email="grace@example.com")
    with pytest.raises(InputError, match="Did you mean 'MISSING_EMAIL'"):
        stackadapt.expect_rejection(reason="MISING_EMAIL")


def test_a_suppressed_record_counts_as_rejected(stackadapt: ExpectingStackAdapt) -> None:
    given = f'{{advertiserId: 1001, emails: ["{ADA}"], isComplianceRequest: true}}'
    stackadapt.post(f"mutation {{ deleteRawProfiles(input: {given}) {{ userErrors {{ message }} }} }}")
    stackadapt.post(upsert({"email": ADA}))
    assert stackadapt.expect_rejection(reason="SUPPRESSED", email=ADA)[0]["outcome"] == "suppressed"


def test_a_property_that_no_mapping_names_is_named_when_it_is_expected(stackadapt: ExpectingStackAdapt) -> None:
    stackadapt.post(upsert({"email": ADA, "city": "Paris"}))
    with pytest.raises(Unmet) as failure:
        stackadapt.expect_profile(email=ADA).with_property("city", "Paris")
    assert str(failure.value).splitlines()[:3] == [
        "expected the profile of ada@example.com to have city = 'Paris'; its properties are none",
        "ada@example.com",
        "  StackAdapt  record: visible; key 'city' is in no active mapping",
    ]


def test_a_waiting_record_is_found_by_its_reason_and_named_in_failures() -> None:
    waiting = {"userId": "u1", "audienceId": "a", "audienceName": "vip", "action": "enter"}
    with Emulator(load_workspace().with_options(api_version="2024-12")) as emulator:
        stackadapt = ExpectingStackAdapt(endpoint_of(emulator))
        stackadapt.post(upsert(waiting))
        (found,) = stackadapt.expect_rejection(reason="WAITS_FOR_PROFILE")
        assert (found["record"], found["waitsFor"]) == (waiting, "u1")
        with pytest.raises(Unmet) as failure:
            stackadapt.expect_rejection()
    assert str(failure.value) == (
        "expected a rejected record; found none, and there is no rejected record\n"
        '  waiting     record {"userId": "u1", "audienceId": "a", "audienceName": "vip", "action": "enter"}: pending,'
        " WAITS_FOR_PROFILE: The record has no email and waits for a profile with its external id;"
        " NO_AUDIENCE_MAPPING at 'action', waits for u1 (pending=True counts it)\n"
        "Failures:\n"
        '  StackAdapt  record {"userId": "u1", "audienceId": "a", "audienceName": "vip", "action": "enter"}: pending,'
        " WAITS_FOR_PROFILE: The record has no email and waits for a profile with its external id;"
        " NO_AUDIENCE_MAPPING at 'action', waits for u1"
    )


def test_rejections_of_another_advertiser_do_not_count(stackadapt: ExpectingStackAdapt) -> None:
    stackadapt.post(upsert({"first_name": "Ada"}, advertiser="1002"))
    with pytest.raises(Unmet, match=r"found none, and there is no rejected record"):
        stackadapt.expect_rejection(reason="MISSING_EMAIL")


def test_requests_are_counted_and_near_misses_printed(stackadapt: ExpectingStackAdapt) -> None:
    stackadapt.post(upsert({"email": ADA}))
    assert stackadapt.expect_request(operation="upsertProfiles", times=1)[0]["status"] == 200
    stackadapt.expect_request(email=ADA, status=200, at_least=1, at_most=2)
    with pytest.raises(Unmet) as failure:
        stackadapt.expect_request(operation="upsertProfiles", advertiser_id="1002", times=1)
    assert "expected exactly 1 requests with operation 'upsertProfiles' and advertiserId '1002'; found 0\n" in str(
        failure.value
    )
    assert "near miss   upsertProfiles, 200: advertiserId is 1001, not 1002" in str(failure.value)


@pytest.mark.parametrize("expected", [{"size": 0}, {"members": []}, {"size": 1}])
def test_a_segment_on_an_unknown_value_is_not_empty_by_right(
    stackadapt: ExpectingStackAdapt, expected: dict[str, Any]
) -> None:
    rule = {"field": "External Audience Name", "operator": "equals", "value": "VIP Customers"}
    warning = (
        "\n  warning     rule.value: 'VIP Customers' is the title of an audience;"
        " records carry its name 'vip_customers'"
    )
    first = (
        "expected a segment with 1 members; it has 0"
        if expected == {"size": 1}
        else "expected a segment without members, but no profile can have its value"
    )
    with pytest.raises(Unmet) as failure:
        stackadapt.expect_segment(rule, **expected)
    assert str(failure.value) == first + warning
    known = {**rule, "value": "vip_customers"}
    assert stackadapt.expect_segment(known, size=0, members=[])["warnings"] == []


@pytest.mark.usefixtures("ada")
def test_a_segment_has_a_size_and_members(stackadapt: ExpectingStackAdapt) -> None:
    assert stackadapt.expect_segment(PARIS, size=1, members=["ADA@example.com"])["size"] == 1
    with pytest.raises(Unmet, match="expected a segment with 2 members; it has 1"):
        stackadapt.expect_segment(PARIS, size=2)
    with pytest.raises(
        Unmet, match=r"(?s)exactly 1 members; missing: bob@example.com; unexpected: ada@example.com\nbob@example.com"
    ):
        stackadapt.expect_segment(PARIS, members=["bob@example.com"])
    with pytest.raises(Unmet, match=r"(?s)exactly 0 members; unexpected: ada@example.com\nada@example.com"):
        stackadapt.expect_segment(PARIS, members=[])


def test_a_segment_without_an_expectation_is_an_error(stackadapt: ExpectingStackAdapt) -> None:
    with pytest.raises(InputError, match="an expected size or members are required. Allowed: size, members"):
        stackadapt.expect_segment(PARIS)
    assert stackadapt.expect_segment(PARIS, size=0, members=[])["members"] == []


@pytest.mark.usefixtures("ada")
def test_without_a_control_api_a_profile_is_queried_with_graphql(endpoint: Endpoint) -> None:
    stackadapt = ExpectingStackAdapt(replace(endpoint, controlled=False))
    profile = stackadapt.expect_profile(email=ADA).with_marketing_status("OPTED_IN")
    with pytest.raises(NoControl):
        profile.in_audience("vip_customers")


def test_without_a_control_api_a_missing_profile_is_waited_for(endpoint: Endpoint) -> None:
    stackadapt = ExpectingStackAdapt(replace(endpoint, controlled=False), patience=0.05)
    with pytest.raises(Unmet, match=r"none found after 0\.05 s$"):
        stackadapt.expect_profile(email=ADA)
    assert len(ExpectingStackAdapt(endpoint).expect_request(operation="cdpProfiles", at_least=2)) >= 2
