"""Which requests a rule matches, how often, and the errors for invalid definitions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from emulator.errors import InputError, NotFound, WorkspaceError
from emulator.faults import (
    FaultedResponse,
    FaultMatch,
    Faults,
    Interruption,
    RecordRejection,
    RequestSummary,
    parse_definition,
    parse_header,
    registry,
)
from emulator.ids import Ids
from emulator.sandbox import Sandbox
from emulator.stackadapt import Limits
from emulator.workspace import parse_workspace
from tests.stackadapt.conftest import Service

QUERY = RequestSummary(operations=("user",))
UPSERT = RequestSummary(
    operations=("upsertProfileMapping", "upsertProfiles"),
    mutates=True,
    advertiser_ids=("1001",),
    emails=("Ada@Example.com", "bob@example.org"),
)
MINIMAL = {
    "advertisers": [{"id": "1001", "name": "One"}],
    "tokens": [{"token": "t", "name": "t", "scopes": {"1001": ["READ", "WRITE"]}}],
}


def faults(seed: int = 1) -> Faults:
    return Faults(Ids(seed))


def matched(rules: Faults, request: RequestSummary, times: int = 1) -> list[tuple[str, ...]]:
    return [rules.match(request, trace_id=f"t{number}").names for number in range(times)]


def sent(match: FaultMatch, body: bytes = b"{}") -> FaultedResponse:
    """The response after the faults, `body` being the service's."""
    return match.on_response(match.on_request() or FaultedResponse(status=200, body=body))


@pytest.mark.parametrize(
    ("matcher", "expected"),
    [
        ({}, True),
        ({"operation": "upsertProfiles"}, True),
        ({"operation": "upsertProfileMapping"}, True),
        ({"operation": "deleteRawProfiles"}, False),
        ({"advertiser": "1001"}, True),
        ({"advertiser": "1002"}, False),
        ({"email": "ada@example.com"}, True),
        ({"email": "*@EXAMPLE.org"}, True),
        ({"email": "b*b@*"}, True),
        ({"email": "*"}, True),
        ({"email": "*o*@*.org"}, True),
        ({"email": "bob@*bob@example.org"}, False),
        ({"email": "ada@example"}, False),
        ({"email": "da@example.com"}, False),
        ({"email": "a.a@example.com"}, False),
        ({"advertiser": "1001", "email": "eve@example.com"}, False),
    ],
    ids=str,
)
def test_a_rule_matches_the_requests_that_it_names(matcher: dict[str, str], expected: bool) -> None:
    rules = faults()
    rules.add({"fault": "status", "status": 503, **matcher})
    assert matched(rules, UPSERT) == [("status",) if expected else ()]


def test_a_rule_is_removed_after_the_given_number_of_matches() -> None:
    rules = faults()
    rules.add({"fault": "status", "status": 503, "operation": "upsertProfiles", "times": 2})
    assert matched(rules, QUERY) == [()]
    assert matched(rules, UPSERT) == [("status",)]
    assert rules.rules()[0].as_dict() == {
        "id": 1,
        "fault": "status",
        "status": 503,
        "operation": "upsertProfiles",
        "advertiser": None,
        "email": None,
        "probability": 1.0,
        "remaining": 1,
        "until": None,
        "matched": 1,
    }
    assert matched(rules, UPSERT, 2) == [("status",), ()]
    assert rules.rules() == ()


@pytest.mark.parametrize("fault", ["userErrors", "partial"])
def test_a_request_that_the_fault_has_no_effect_on_does_not_count(fault: str) -> None:
    rules = faults()
    rules.add({"fault": fault, "times": 1})
    assert matched(rules, QUERY) == [()]
    assert rules.rules()[0].remaining == 1
    assert matched(rules, UPSERT) == [(fault,)]


def test_the_same_seed_matches_the_same_requests() -> None:
    def matches(seed: int) -> list[tuple[str, ...]]:
        rules = faults(seed)
        rules.add({"fault": "reset", "probability": 0.5})
        return matched(rules, QUERY, 64)

    assert matches(1) == matches(1)
    assert matches(1) != matches(2)
    assert 10 < sum(map(bool, matches(1))) < 54


def test_a_reset_restarts_the_random_numbers() -> None:
    rules = Faults(Ids(1), [{"fault": "reset", "probability": 0.5}])
    first = matched(rules, QUERY, 64)
    rules.add({"fault": "status", "status": 500})
    rules.reset()
    assert matched(rules, QUERY, 64) == first
    assert [rule.id for rule in rules.rules()] == [1]


def test_a_rule_with_probability_zero_never_matches() -> None:
    rules = faults()
    rules.add({"fault": "status", "status": 500, "probability": 0, "times": 1})
    assert matched(rules, UPSERT, 20) == [()] * 20
    assert (rules.rules()[0].remaining, rules.rules()[0].matched) == (1, 0)


def test_a_request_that_is_not_matched_by_chance_does_not_count() -> None:
    rules = faults()
    rules.add({"fault": "reset", "probability": 0.2, "times": 3})
    assert matched(rules, QUERY, 100).count(("reset",)) == 3


@pytest.mark.parametrize(("probability", "least", "most"), [(0, 0, 0), (0.5, 10, 54), (1, 64, 64)])
def test_a_fault_in_the_header_has_a_probability_too(probability: float, least: int, most: int) -> None:
    rules, once = faults(), parse_header(f"reset; probability={probability}", QUERY.operations)
    matches = [rules.match(QUERY, trace_id=f"t{number}", once=once).names for number in range(64)]
    assert least <= matches.count(("reset",)) <= most


def test_the_oldest_replacement_is_sent_and_delays_add_up() -> None:
    rules = faults()
    for definition in (
        {"fault": "latency", "milliseconds": 20},
        {"fault": "status", "status": 500},
        {"fault": "notJson"},
        {"fault": "latency", "milliseconds": 22},
    ):
        rules.add(definition)
    match = rules.match(QUERY, trace_id="t")
    assert match.names == ("latency", "status", "notJson", "latency")
    response = sent(match)
    assert (response.status, response.delay_ms) == (500, 42)


def test_a_rule_is_removed_by_its_id() -> None:
    rules = faults()
    rules.add({"fault": "reset"})
    kept = rules.add({"fault": "timeout"})
    rules.remove(1)
    assert rules.rules() == (kept,)
    with pytest.raises(NotFound, match="unknown fault rule 1. Known: 2"):
        rules.remove(1)
    rules.clear()
    with pytest.raises(NotFound, match="Known: none"):
        rules.remove(2)


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        ({"fault": "statsu"}, "fault: .*Did you mean 'status'"),
        ({}, "fault: unknown fault None. Known: latency, notJson, partial, reset, status, timeout, truncated"),
        ({"fault": ["status"]}, "fault: unknown fault"),
        ({"fault": "status"}, "status: .*400 to 599"),
        ({"fault": "status", "status": 200}, "status: .*Found: 200"),
        ({"fault": "status", "status": True}, "status: .*Found: True"),
        ({"fault": "status", "status": 500, "tims": 1}, "tims: unknown status option 'tims'. Known: status"),
        ({"fault": "status", "status": 503, "time": 2}, "operation, advertiser, email, probability, times. .*'times'"),
        ({"fault": "status", "status": 429, "retryAftr": 1}, "Did you mean 'retryAfter'"),
        ({"fault": "status", "status": 429, "retryAfter": -1}, "retryAfter: .*0 to 86400"),
        ({"fault": "status", "status": 500, "times": 0}, "times: .*Found: 0"),
        ({"fault": "latency"}, "milliseconds: .*0 to 30000"),
        ({"fault": "latency", "milliseconds": 30_001}, "milliseconds: .*Found: 30001"),
        ({"fault": "reset", "applied": "yes"}, "applied: .*true, false"),
        (
            {"fault": "timeout", "milliseconds": 5},
            "milliseconds: unknown timeout option 'milliseconds'. Known: applied",
        ),
        ({"fault": "truncated", "bytes": -1}, "bytes: .*Found: -1"),
        ({"fault": "notJson", "status": 100}, "status: .*200 to 599"),
        ({"fault": "userErrors", "message": 5}, "message: .*Found: 5"),
        ({"fault": "userErrors", "path": "input"}, "path: .*an array of strings"),
        ({"fault": "partial", "every": 0}, "every: .*Found: 0"),
        ({"fault": "reset", "probability": 1.1}, "probability: .*0 to 1"),
        ({"fault": "reset", "probability": float("nan")}, "probability: .*0 to 1"),
        ({"fault": "reset", "operation": 5}, "operation: invalid string"),
        ({"fault": "reset", "email": ""}, "email: invalid string"),
    ],
)
def test_an_invalid_definition_names_what_is_allowed(definition: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        faults().add(definition)


@pytest.mark.parametrize(
    ("header", "definition"),
    [
        ("status=503", {"fault": "status", "status": 503}),
        (" status = 429 ; retryAfter=30", {"fault": "status", "status": 429, "retryAfter": 30}),
        ("reset", {"fault": "reset"}),
        ("reset; applied=true", {"fault": "reset", "applied": True}),
        ("reset=true", {"fault": "reset", "applied": True}),
        ("timeout=true", {"fault": "timeout", "applied": True}),
        ("latency=250", {"fault": "latency", "milliseconds": 250}),
        ("truncated=10", {"fault": "truncated", "bytes": 10}),
        (
            "userErrors=No.; operation=upsertProfiles",
            {"fault": "userErrors", "message": "No.", "operation": "upsertProfiles"},
        ),
        ("partial; email=*@example.com", {"fault": "partial", "email": "*@example.com"}),
        ('{"fault": "notJson", "status": 502}', {"fault": "notJson", "status": 502}),
    ],
)
def test_a_header_is_parsed_as_a_definition(header: str, definition: dict[str, Any]) -> None:
    assert parse_header(header, UPSERT.operations) == parse_definition(definition)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("statsu=503", "X-Emulator-Fault: fault: .*Did you mean 'status'"),
        ("", "X-Emulator-Fault: fault: unknown fault ''"),
        ("status", "X-Emulator-Fault: status: "),
        ("status=often", "X-Emulator-Fault: status: .*Found: 'often'"),
        ("reset=5", "X-Emulator-Fault: applied: .*Found: 5. Allowed: true, false"),
        ("reset; operation=upsertProfile", "X-Emulator-Fault: operation: .*Did you mean 'upsertProfiles'"),
        ("status=503; now", "invalid option. Found: 'now'. Allowed: name=value"),
        ("status=503; times=3", "the header applies to one request only"),
        ("{nonsense", "invalid JSON object"),
    ],
)
def test_an_invalid_header_names_what_is_allowed(header: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_header(header, UPSERT.operations)


def test_every_fault_shows_the_options_of_its_definition() -> None:
    given: dict[str, dict[str, Any]] = {
        "status": {"status": 429, "retryAfter": 3},
        "latency": {"milliseconds": 5},
        "timeout": {"applied": True},
        "reset": {"applied": False},
        "truncated": {"bytes": 7},
        "notJson": {"status": 502},
        "userErrors": {"message": "No.", "path": ["input", "profiles"]},
        "partial": {"every": 3},
    }
    assert given.keys() == registry().keys()
    for name, options in given.items():
        assert parse_definition({"fault": name, **options}).as_dict().items() >= options.items()


@pytest.mark.parametrize(
    ("header", "body", "expected"),
    [
        ("truncated", b"12345678", b"1234"),
        ("truncated=3", b"12345678", b"123"),
        ("truncated=100", b"12345678", b"1234567"),
        ("truncated=0", b"", b""),
    ],
)
def test_a_truncated_body_never_arrives_complete(header: str, body: bytes, expected: bytes) -> None:
    response = sent(faults().match(QUERY, trace_id="t", once=parse_header(header, ())), body)
    assert (response.body, response.interruption) == (expected, Interruption.CUT)
    assert response.headers["Content-Length"] == str(len(body))


@pytest.mark.parametrize(
    ("first", "second", "interruption"),
    [
        ("truncated", "reset", Interruption.RESET),
        ("reset", "truncated", Interruption.RESET),
        ("timeout", "reset", Interruption.SILENCE),
        ("reset; applied=true", "timeout; applied=true", Interruption.RESET),
        ("status=503", "timeout", Interruption.SILENCE),
        ("notJson", "truncated", Interruption.CUT),
    ],
)
def test_a_lost_response_prevails_over_others_and_the_oldest_over_newer_ones(
    first: str, second: str, interruption: Interruption
) -> None:
    match = FaultMatch("t", (parse_header(first, ()), parse_header(second, ())))
    response = sent(match)
    assert response.interruption is interruption
    assert (response.status is None) is (interruption is not Interruption.CUT)


def test_a_user_error_for_a_named_mutation_prevails_over_one_for_every_mutation() -> None:
    rules = faults()
    rules.add({"fault": "userErrors", "message": "any"})
    rules.add({"fault": "userErrors", "message": "named", "operation": "upsertProfiles"})
    match = rules.match(UPSERT, trace_id="t")
    errors = [match.user_error(operation) for operation in UPSERT.operations]
    assert [error.message for error in errors if error] == ["any", "named"]


def test_records_are_rejected_by_email_and_by_position() -> None:
    third = RecordRejection(None, 3)
    assert [third.applies_to(None, position) for position in range(6)] == [False, False, True, False, False, True]
    assert RecordRejection("*@a.io", 1).applies_to("x@a.io", 0)
    assert not RecordRejection("*@a.io", 1).applies_to(None, 0)


def test_a_partial_fault_does_not_reject_records_of_earlier_batches() -> None:
    sandbox = Sandbox(parse_workspace({**MINIMAL, "ingestion": {"recordWithoutEmail": "wait"}}))
    try:
        service = Service(sandbox, api_version="2026-06", limits=Limits())
        joins = {"action": "enter", "audienceId": "a", "audienceName": "vip"}
        service.upsert({"email": "bob@example.org"}, {"userId": "u1", **joins}, token="t", advertiser="1001")
        sandbox.faults.add({"fault": "partial", "every": 2})
        service.upsert({"email": "ada@example.com", "userId": "u1"}, {"email": "eve@example.com"}, token="t")
        assert service.outcomes() == [("visible", None)] * 3 + [("rejected", "INJECTED")]
    finally:
        sandbox.close()


def test_without_a_fault_nothing_changes() -> None:
    match = faults().match(UPSERT, trace_id="t")
    assert match.on_request() is match.user_error("upsertProfiles") is match.record_rejection() is None
    assert sent(match) == FaultedResponse(status=200, body=b"{}")


def test_faults_of_the_workspace_are_active_from_the_start_and_after_a_reset() -> None:
    workspace = parse_workspace({**MINIMAL, "seed": 1, "faults": [{"fault": "status", "status": 503, "times": 1}]})
    sandbox = Sandbox(workspace)
    try:
        assert matched(sandbox.faults, QUERY, 2) == [("status",), ()]
        sandbox.reset()
        assert matched(sandbox.faults, QUERY) == [("status",)]
    finally:
        sandbox.close()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"faults": [{"fault": "statsu"}]}, r"faults\[0\].fault: .*Did you mean 'status'"),
        ({"faults": [{"status": 503}]}, r"faults\[0\]: the key 'fault' is missing"),
        ({"faults": [{"fault": "reset"}, {"fault": "reset", "bytes": 5}]}, r"faults\[1\].bytes: unknown reset option"),
        ({"faults": [{"fault": "status", "status": 200}]}, r"faults\[0\].status: .*400 to 599"),
        ({"rateLimit": {"request": 5}}, "rateLimit: .*requests"),
        ({"rateLimit": {"requests": 5, "per": "1 w"}}, "rateLimit.per"),
    ],
)
def test_an_error_in_the_workspace_names_its_place(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(WorkspaceError, match=message):
        Sandbox(parse_workspace(json.loads(json.dumps({**MINIMAL, **changes}))))


def test_rules_that_matched_no_request_are_unused_until_a_reset() -> None:
    rules = Faults(Ids(1), [{"fault": "status", "status": 500, "operation": "user"}])
    for options in ({"times": 1}, {"operation": "tokenInfo"}, {"email": "unknown@example.com"}):
        rules.add({"fault": "status", "status": 503, **options})
    rules.match(UPSERT, trace_id="t")
    assert [rule.id for rule in rules.unused()] == [1, 3, 4]
    rules.remove(3)
    assert [rule.id for rule in rules.unused()] == [3, 1, 4]
    rules.match(QUERY, trace_id="t")
    rules.clear()
    assert [rule.id for rule in rules.unused()] == [3, 4]
    rules.reset()
    assert [rule.id for rule in rules.unused()] == [1]
