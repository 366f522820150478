"""The oracle itself, with outcomes known from manual runs of the published engine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from .cases import FQL, TRANSFORM, cases
from .oracle import Oracle, OracleError
from .packages import GENERATIONS, NEWEST
from .provider_responses import advertiser, token_info

OF_2024 = "3.387.0"
OK = {"status": 200, "body": {"data": {"upsertProfiles": {"userErrors": []}}}}
DELETED = {"status": 200, "body": {"data": {"deleteProfilesWithExternalIds": {"userErrors": []}}}}


@pytest.fixture
def oracle(node_packages: None) -> Iterator[Oracle]:
    with Oracle(NEWEST) as newest:
        yield newest


def destination_case(**changes: Any) -> dict[str, Any]:
    """A valid call of the newest package with one event, with `changes`."""
    mapping = {
        "user_id": {"@path": "$.userId"},
        "event_type": {"@path": "$.type"},
        "marketing_status": "Opted-in",
        "enable_batching": True,
        "traits_or_props": {"@path": "$.traits"},
        "segment_computation_class": "audience",
        "segment_computation_id": "aud_1",
        "segment_computation_key": "vip",
        "email": {"@path": "$.traits.email"},
    }
    subscription = {
        "partnerAction": "forwardAudienceEvent",
        "name": "n",
        "enabled": True,
        "subscribe": 'type = "identify"',
        "mapping": mapping,
    }
    case = {
        "id": "x",
        "mode": "event",
        "settings": {"apiKey": "tok", "advertiser_id": "23"},
        "subscriptions": [subscription],
        "events": [{"type": "identify", "userId": "u1", "traits": {"email": "a@b.com", "vip": True}}],
        "responses": [OK],
    }
    return {**case, **changes}


@pytest.mark.node(NEWEST)
@pytest.mark.parametrize(
    ("mapping", "payload", "expected"),
    [
        ({"k": {"@template": "{{a}}-{{b}}"}}, {"a": 1}, {"output": {"k": "1-"}}),
        ({"@path": "$.missing"}, {}, {}),
        (
            {"k": {"@replace": {"pattern": "", "value": "x"}}, "l": {"@nope": 1}},
            {},
            {
                "error": {
                    "message": "ValidationError: /k/@replace/pattern should be a string of length 1 or greater.\n"
                    "ValidationError: /l has an invalid directive: @nope."
                }
            },
        ),
        ({"@nope": 1}, {}, {"error": {"message": "/ has an invalid directive: @nope."}}),
    ],
)
def test_a_transform_has_an_output_or_messages(oracle: Oracle, mapping: Any, payload: Any, expected: Any) -> None:
    assert oracle.expected({"kind": TRANSFORM, "mapping": mapping, "payload": payload}) == expected


@pytest.mark.node(NEWEST)
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('type = "track"', {"ast_error": None, "match": True}),
        ("traits.n != null", {"ast_error": None, "match": False}),
        ("type", {"ast_error": "Value token is missing", "match": False}),
        (
            'type = "track" and ()',
            {
                "ast_error": None,
                "match": None,
                "error": {"message": "Cannot read properties of undefined (reading 'type')"},
            },
        ),
    ],
)
def test_a_trigger_has_a_match_or_an_error(oracle: Oracle, text: str, expected: Any) -> None:
    assert oracle.expected({"kind": FQL, "fql": text, "event": {"type": "track"}}) == expected


@pytest.mark.node(NEWEST)
def test_an_event_has_results_and_a_request(oracle: Oracle) -> None:
    expected = oracle.expected(destination_case())
    assert [result["output"] for result in expected["results"]] == [
        "Mappings resolved",
        "Payload validated",
        "Action Executed",
    ]
    [request] = expected["requests"]
    assert request["path"] == "/graphql"
    assert request["headers"] == {
        "authorization": "Bearer tok",
        "content-type": "application/json",
        "user-agent": "Segment (Actions)",
    }
    assert "upsertProfiles" in request["body"]


@pytest.mark.node(NEWEST)
def test_a_batch_has_one_status_for_each_event(oracle: Oracle) -> None:
    good = destination_case()["events"][0]
    other = {"type": "track"}
    [result] = oracle.expected(destination_case(mode="batch", events=[good, other, good]))["results"]
    assert [node["status"] for node in result["multistatus"]] == [200, 400, 200]


@pytest.mark.node(NEWEST)
def test_an_invalid_event_has_an_error_and_no_request(oracle: Oracle) -> None:
    event = {"type": "identify", "userId": "u1", "traits": {"vip": True}}
    assert oracle.expected(destination_case(events=[event])) == {
        "error": {
            "name": "AggregateAjvError",
            "message": "The root value is missing the required field 'email'.",
            "code": None,
            "status": 400,
        },
        "requests": [],
    }


@pytest.mark.node(NEWEST)
def test_a_failed_request_has_the_status_of_the_response(oracle: Oracle) -> None:
    expected = oracle.expected(destination_case(responses=[{"status": 429, "text": "slow down", "headers": {}}]))
    assert expected["error"] == {"name": "HTTPError", "message": "Too Many Requests", "code": None, "status": 429}
    assert len(expected["requests"]) == 1


@pytest.mark.node(NEWEST)
def test_a_deletion_has_the_body_of_the_response(oracle: Oracle) -> None:
    case = destination_case(mode="delete", events=[{"userId": "u1"}], responses=[DELETED])
    assert oracle.expected(case)["results"] == DELETED["body"]


@pytest.mark.node(NEWEST)
def test_a_request_of_a_failed_call_does_not_count_for_the_next_call(oracle: Oracle) -> None:
    [sending] = destination_case()["subscriptions"]
    failing = {**sending, "mapping": {**sending["mapping"], "email": "nonsense"}}
    for _ in range(20):
        failed = oracle.expected(destination_case(subscriptions=[failing, sending], responses=[OK, OK]))
        assert failed["error"]["message"] == "Email must be a valid email address string but it was not."
        assert len(failed["requests"]) == 1
        assert len(oracle.expected(destination_case())["requests"]) == 1


@pytest.mark.node(NEWEST)
def test_an_error_has_the_published_url(oracle: Oracle) -> None:
    error = oracle.expected(destination_case(responses=[{"reset": True}]))["error"]
    assert error["message"] == "request to https://api.stackadapt.com/graphql failed, reason: socket hang up"
    assert error["code"] == "ECONNRESET"


@pytest.mark.node(NEWEST)
def test_a_redirect_is_followed_and_both_requests_are_recorded(oracle: Oracle) -> None:
    moved = {"status": 302, "headers": {"location": "/elsewhere"}, "text": ""}
    requests = oracle.expected(destination_case(responses=[moved, OK]))["requests"]
    assert [(one["method"], one["path"]) for one in requests] == [("POST", "/graphql"), ("GET", "/elsewhere")]


@pytest.mark.node(NEWEST)
def test_more_requests_than_scripted_responses_are_an_error(oracle: Oracle) -> None:
    with pytest.raises(OracleError, match="more requests than scripted responses"):
        oracle.expected(destination_case(responses=[]))


@pytest.mark.node(NEWEST)
@pytest.mark.parametrize(
    ("body", "message"),
    [
        (token_info(advertiser("1", "A", "WRITE")), None),
        (token_info(advertiser("1", "A", "READ")), "Credentials are invalid:  Please verify your GQL Token"),
    ],
)
def test_authentication_has_no_result_or_an_error(oracle: Oracle, body: dict[str, Any], message: str | None) -> None:
    expected = oracle.expected(destination_case(mode="auth", responses=[{"status": 200, "body": body}]))
    if message is None:
        assert expected["results"] is None
    else:
        assert expected["error"]["message"].startswith(message)


@pytest.mark.node(OF_2024)
def test_a_dynamic_field_has_choices(node_packages: None) -> None:
    response = {"status": 200, "body": token_info(advertiser("7", "Acme", "WRITE"), advertiser("8", "Zed", "READ"))}
    case = destination_case(mode="dynamic", action="forwardProfile", field="advertiser_id", responses=[response])
    with Oracle(OF_2024) as oracle:
        assert oracle.expected(case)["results"] == {"choices": [{"value": "7", "label": "Acme"}]}


@pytest.mark.node(NEWEST)
def test_the_oracle_continues_after_an_invalid_case(oracle: Oracle) -> None:
    with pytest.raises(OracleError, match="unknown mode"):
        oracle.expected(destination_case(mode="nonsense", responses=None, settings={}))
    assert oracle.expected({"kind": FQL, "fql": "type = null", "event": {}})["match"] is False


@pytest.mark.node(*GENERATIONS)
@pytest.mark.parametrize("generation", GENERATIONS)
def test_two_oracles_have_the_same_outcomes(generation: str) -> None:
    with Oracle(generation) as one, Oracle(generation) as other:
        for case in cases(3, generation, 100):
            assert one.expected(case) == other.expected(case)
